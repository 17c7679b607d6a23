// What the executor does for dns64 (RFC 6147): AAAA and A are asked side by side as branches (branches.h), and the answer to
// A is made into that to AAAA where the name has none that count.
//
// TTL (5.1.7): not above that of the SOA with which AAAA was denied, nor above 600 s where none is known.

#include "dataplane/policy/admit.h"
#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/executor.h"

namespace steer {

using Is = Branches::Is;

namespace {

constexpr std::uint32_t kTtlWithoutSoa = 600;

// RFC 6147 3: who validates must see what was signed.
bool validates(const dns::Query& q) {
    return q.edns.dnssec_ok && (q.flags & dns::kCd) != 0;
}

bool is_positive(const Response& response) {
    return response && response.answer().rcode == dns::kNoError;
}

}  // namespace

std::optional<Step> Executor::enter_dns64(QueryContext& c) noexcept {
    const bool applies = c.query.qclass == dns::kIn && c.stale == nullptr && !validates(c.query);
    if (applies && c.query.qtype == dns::kAaaa) {
        c.replay = nullptr;  // it may have been made by other settings
        return Step::branches;
    }
    if (applies && is_hints_type(c.query.qtype)) {
        c.replay = nullptr;
        enter(c);
    } else {
        ++c.state.pc;
    }
    return std::nullopt;
}

void Executor::leave_dns64(QueryContext& c, const Dns64& dns64, Now now) noexcept {
    if (!is_hints_type(c.query.qtype) || !is_positive(c.response)) return;
    const auto what = dns64.translate_all ? dns::Translate::all_hints : dns::Translate::hints;
    if (!dns::would_change(c.response.answer(), what, dns64)) return;
    dns::Query room;
    const auto name = c.asked_under(c.state.answered_under, room).name();
    if (!c.response.translate(buffers_, {.what = what, .asked = name}, dns64, now))
        counters_.add(Stat::dns64_unchanged);
}

// Of the branch that asks for AAAA, and of that for A.
Branches::Is Executor::end_of_dns64_branch(const QueryContext& branch,
                                           const Dns64& dns64) noexcept {
    if (!branch.response) return Is::without_answer;
    const dns::Answer& answer = branch.response.answer();
    if (branch.query.qtype == dns::kA) {
        if (is_failure(answer)) return Is::failed;
        // RFC 6147 5.1.6: what A brings is the basis of the answer, also that there is no such name.
        if (answer.rcode == dns::kNxDomain) return Is::answered;
        const bool has_any = answer.rcode == dns::kNoError &&
                             dns::any_translated(answer, dns::Translate::addresses, dns64);
        return has_any ? Is::answered : Is::lacking;
    }
    if (answer.rcode == dns::kNxDomain) return Is::answered;
    const bool has_any = answer.rcode == dns::kNoError &&
                         dns::any_translated(answer, dns::Translate::counted_only, dns64);
    return has_any && !dns64.translate_all ? Is::answered : Is::lacking;
}

void Executor::synthesize(QueryContext& c, const Dns64& dns64, const Response* empty,
                          Now now) noexcept {
    dns::Query room;
    dns::TranslateTerms terms{.asked = c.asked_under(c.state.answered_under, room).name(),
                              .most_ttl_s = kTtlWithoutSoa};
    if (empty != nullptr && *empty && empty->answer().has_soa) {
        const std::uint32_t ttl_s = empty->answer().min_ttl_s, age_s = empty->age_s(now.s());
        terms.most_ttl_s = ttl_s > age_s ? ttl_s - age_s : 0;
    }
    if (c.response.translate(buffers_, terms, dns64, now)) {
        counters_.add(Stat::dns64_synthesized);
        return;
    }
    counters_.add(Stat::dns64_failed);
    forget_lists(c.state);
    c.response.set_empty(dns::kServFail, dns::Ede::other);
}

void Executor::leave_uncounted_out(QueryContext& c, const Dns64& dns64, Now now) noexcept {
    constexpr auto kWhat = dns::Translate::counted_only;
    if (!is_positive(c.response) || !dns::would_change(c.response.answer(), kWhat, dns64)) return;
    dns::Query room;
    const auto name = c.asked_under(c.state.answered_under, room).name();
    if (!c.response.translate(buffers_, {.what = kWhat, .asked = name}, dns64, now))
        counters_.add(Stat::dns64_unchanged);
}

Step Executor::take_dns64_branch(QueryContext& c, const QueryContext& branch,
                                 const QueryContext* other, const Dns64& dns64, Now now) noexcept {
    const bool has_a = branch.query.qtype == dns::kA;
    if (!has_a) {
        leave_uncounted_out(c, dns64, now);
    } else if (is_positive(c.response) &&
               dns::any_translated(c.response.answer(), dns::Translate::addresses, dns64)) {
        synthesize(c, dns64, other != nullptr ? &other->response : nullptr, now);
    }
    if (branch.state.stopped) return stop(c, now);
    c.state.pc = branch.state.pc;
    return run(c, now);
}

void Executor::enter_pointer64(QueryContext& c) noexcept {
    const bool applies = c.query.qclass == dns::kIn && c.query.qtype == dns::kPtr &&
                         c.stale == nullptr && !validates(c.query) &&
                         behind_pointer(c.snapshot.dns64s, c.asked().name()).has_value();
    if (!applies) {
        ++c.state.pc;
        return;
    }
    c.replay = nullptr;
    enter(c);
    c.state.rewrites.push(Rewrites::kPointer64);
    question_changed(c);
}

}  // namespace steer
