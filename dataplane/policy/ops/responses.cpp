#include "dataplane/policy/ops/responses.h"

namespace steer {
namespace {

// nullptr: none.
const dns::Answer* find(QueryWalk& w, const Instruction& i) {
    const LiveAnswers& live = *w.snapshot().live_answers[i.operand];
    const LiveTable* const table = live.table.load(std::memory_order_acquire);
    if (table == nullptr) return nullptr;
    return table->find(w.c.asked().name(), w.c.query.qtype, w.c.query.qclass, w.scratch());
}

}  // namespace

MaybeStep Body<Op::live_answers>::run(LiveRun& w, const Instruction& i) noexcept {
    const dns::Answer* const answer = find(w, i);
    if (answer == nullptr || !w.give_copy(*answer)) return w.next();
    w.worker.counters.add(Stat::lease_answers);
    return w.next_or_stop(i);
}

MaybeStep Body<Op::live_answers>::run(HitWalk& w, const Instruction& i) noexcept {
    if (find(w, i) == nullptr) return w.next();
    w.give_hit();
    return w.next_or_stop(i);
}

void Body<Op::limit_ttls>::change_ttls(LiveRun& w, const dns::TtlLimits& limits) noexcept {
    if (!w.c.response || w.c.response.answer().ttl_count == 0) return;
    if (!w.c.response.change_ttls(w.worker.buffers, limits, w.now))
        w.worker.counters.add(Stat::ttls_unchanged);
}

}  // namespace steer
