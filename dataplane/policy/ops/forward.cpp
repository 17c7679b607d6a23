#include "dataplane/policy/ops/forward.h"

#include <utility>

namespace steer {
namespace {

// The answer to a name that no upstream has; kNoAnswer: it is sent upstream.
[[gnu::noinline]] AnswerRef special_answer(LiveRun& w, const Instruction& forward) {
    const dns::Query& q = w.c.asked();
    const auto [name, is_apex] = w.snapshot().special.find(q.name());
    if (name == nullptr) return kNoAnswer;
    const bool is_forwarded = forward.with_special || (forward.with_private && name->is_private);
    if (is_forwarded && !name->is_always) return kNoAnswer;
    const std::uint16_t no_type = 0;  // it has records of class IN only
    const AnswerRef answer = name->find(q.qclass == dns::kIn ? q.qtype : no_type, is_apex);
    if (answer == kNoAnswer) return answer;
    // A name that exists: answer_rare() answers ANY, as for other names.
    const bool is_any = q.qtype == dns::kAny && (q.flags & dns::kRd) != 0;
    if (is_any && w.state().stays_here && w.snapshot().known.at(answer).rcode == dns::kNoError)
        return kNoAnswer;
    w.worker.counters.add(name->counted);
    return answer;
}

// Answers a question without RD or of type ANY (rare_queries.h). False: the upstream is asked,
// because it is that of a zone.
[[gnu::cold, gnu::noinline]] bool answer_rare(LiveRun& w, const Instruction& forward) {
    const dns::Query& q = w.c.query;
    const RareQueries& rules = w.snapshot().rare;
    const bool may_recurse = rules.norecurse_for(q.flags, w.c.client.address) == NoRecurse::forward;
    if (!may_recurse && !forward.of_zone) {
        w.give_empty(dns::kRefused);
        w.c.response.set_ede(dns::Ede::not_authoritative);
        return true;
    }
    if (!rules.answers_any(q.qtype)) return false;
    w.worker.counters.add(Stat::any_answered);
    if (rules.any == AnyQueries::hinfo && w.give(rules.hinfo)) return true;
    w.give_empty(dns::kRefused);
    w.c.response.set_ede(dns::Ede::not_supported);
    return true;
}

}  // namespace

MaybeStep Body<Op::forward>::run(LiveRun& w, const Instruction& i) noexcept {
    QueryContext& c = w.c;
    if (c.query.qclass == dns::kChaos) [[unlikely]] {  // it asks which server this is
        w.worker.counters.add(Stat::not_forwarded);
        c.replay = nullptr;
        w.give_empty(dns::kNotImp);
        return w.next_or_stop(i);
    }
    if (w.snapshot().special.may_have(c.asked().name())) [[unlikely]] {
        if (const AnswerRef own = special_answer(w, i); own != kNoAnswer) {
            c.replay = nullptr;
            w.give(own);
            return w.next_or_stop(i);
        }
    }
    if (c.stale != nullptr) {
        w.give_kept(*c.stale, c.stale_ttl_s);
    } else if (c.replay != nullptr) {
        w.give_kept(*std::exchange(c.replay, nullptr), 0);
    } else if (!c.state.stays_here || !answer_rare(w, i)) [[likely]] {
        c.group = static_cast<std::uint16_t>(i.operand);
        return Step::asks;
    }
    return w.next_or_stop(i);
}

}  // namespace steer
