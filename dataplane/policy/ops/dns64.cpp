#include "dataplane/policy/ops/dns64.h"

#include "dataplane/policy/admit.h"
#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/dns64.h"

namespace steer {

using Is = Branches::Is;

namespace {

constexpr std::uint32_t kTtlWithoutSoa = 600;

bool is_positive(const Response& response) {
    return response && response.answer().rcode == dns::kNoError;
}

// Translates a branch's answer to A into one to AAAA; `empty`: the answer to AAAA, if known.
void synthesize(LiveRun& w, const Dns64& dns64, const Response* empty) {
    QueryContext& c = w.c;
    dns::Query room;
    dns::TranslateTerms terms{.asked = c.asked_under(c.state.answered_under, room).name(),
                              .most_ttl_s = kTtlWithoutSoa};
    if (empty != nullptr && *empty && empty->answer().has_soa) {
        const std::uint32_t ttl_s = empty->answer().min_ttl_s, age_s = empty->age_s(w.now.s());
        terms.most_ttl_s = ttl_s > age_s ? ttl_s - age_s : 0;
    }
    if (c.response.translate(w.worker.buffers, terms, dns64, w.now)) {
        w.worker.counters.add(Stat::dns64_synthesized);
        if (c.trace) [[unlikely]]
            c.trace.note(w.now, TraceWhat::dns64, 0, c.state.pc);
        return;
    }
    w.worker.counters.add(Stat::dns64_failed);
    forget_response(c.state);
    c.response.set_empty(dns::kServFail, dns::Ede::other);
}

// Leaves out AAAA that do not count.
void leave_uncounted_out(LiveRun& w, const Dns64& dns64) {
    QueryContext& c = w.c;
    constexpr auto kWhat = dns::Translate::counted_only;
    if (!is_positive(c.response) || !dns::would_change(c.response.answer(), kWhat, dns64)) return;
    dns::Query room;
    const auto name = c.asked_under(c.state.answered_under, room).name();
    if (!c.response.translate(w.worker.buffers, {.what = kWhat, .asked = name}, dns64, w.now))
        w.worker.counters.add(Stat::dns64_unchanged);
}

}  // namespace

MaybeStep Body<Op::enter_dns64>::run(LiveRun& w, const Instruction& /*i*/) noexcept {
    QueryContext& c = w.c;
    const bool applies = c.query.qclass == dns::kIn && c.stale == nullptr && !validates(c.query);
    if (applies && c.query.qtype == dns::kAaaa) {
        c.replay = nullptr;  // it may have been built with other settings
        return Step::branches;
    }
    if (!applies || !is_hints_type(c.query.qtype)) return w.next();
    c.replay = nullptr;
    w.enter();
    return std::nullopt;
}

Left Body<Op::enter_dns64>::leave(LiveRun& w, const Instruction& i) noexcept {
    QueryContext& c = w.c;
    const Dns64& dns64 = w.snapshot().dns64s[i.operand];
    if (!is_hints_type(c.query.qtype) || !is_positive(c.response)) return Left::passed;
    const auto what = dns64.translate_all ? dns::Translate::all_hints : dns::Translate::hints;
    if (!dns::would_change(c.response.answer(), what, dns64)) return Left::passed;
    dns::Query room;
    const auto name = c.asked_under(c.state.answered_under, room).name();
    if (!c.response.translate(w.worker.buffers, {.what = what, .asked = name}, dns64, w.now))
        w.worker.counters.add(Stat::dns64_unchanged);
    return Left::passed;
}

Branches::Is Body<Op::enter_dns64>::end_of_branch(const QueryContext& branch,
                                                  const Dns64& dns64) noexcept {
    if (!branch.response) return Is::without_answer;
    const dns::Answer& answer = branch.response.answer();
    if (branch.query.qtype == dns::kA) {
        if (is_failure(answer)) return Is::failed;
        // RFC 6147 5.1.6: the answer to A is the basis, including NXDOMAIN.
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

MaybeStep Body<Op::enter_dns64>::take_branch(LiveRun& w, const QueryContext& branch,
                                             const QueryContext* other,
                                             const Dns64& dns64) noexcept {
    const bool has_a = branch.query.qtype == dns::kA;
    if (!has_a) {
        leave_uncounted_out(w, dns64);
    } else if (is_positive(w.c.response) &&
               dns::any_translated(w.c.response.answer(), dns::Translate::addresses, dns64)) {
        synthesize(w, dns64, other != nullptr ? &other->response : nullptr);
    }
    if (branch.state.stopped) return w.stop();
    w.pc() = branch.state.pc;
    return std::nullopt;
}

}  // namespace steer
