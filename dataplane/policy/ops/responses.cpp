#include "dataplane/policy/ops/responses.h"

#include "dataplane/dns/hints.h"

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

// Hints and additional addresses count: a browser connects to them as well. Local data passes, such
// as the addresses of localhost.
MaybeStep Body<Op::deny_private>::run(LiveRun& w, const Instruction& i) noexcept {
    if (!w.has_response() || (w.c.response.answer().flags & dns::kAa) != 0) return w.next();
    const AddressSet& denied = w.snapshot().prefix_sets[i.operand];
    const bool has_one =
        dns::any_address(w.c.response.answer(), [&](const std::uint8_t* bytes, bool is_v6) {
            return denied.contains(is_v6 ? IpAddress::from_v6(bytes) : IpAddress::from_v4(bytes));
        });
    if (!has_one) return w.next();
    w.worker.counters.add(Stat::private_denied);
    w.worker.counters.saw(Overload::rebind, w.c.client.address, w.c.asked().name());
    w.give(w.snapshot().no_private);
    w.c.response.set_ede(dns::Ede::blocked);
    return w.next();
}

void Body<Op::limit_ttls>::change_ttls(LiveRun& w, const dns::TtlLimits& limits) noexcept {
    if (!w.c.response || w.c.response.answer().ttl_count == 0) return;
    if (!w.c.response.change_ttls(w.worker.buffers, limits, w.now))
        w.worker.counters.add(Stat::ttls_unchanged);
}

}  // namespace steer
