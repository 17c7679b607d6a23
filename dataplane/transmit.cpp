#include "dataplane/transmit.h"

#include <rte_mbuf.h>

namespace steer {

Transmit::Transmit(std::span<Port* const> ports, Counters& counters) : counters_(counters) {
    lanes_.reserve(ports.size());
    for (Port* p : ports)
        lanes_.push_back(Lane{.port = p});
}

bool Transmit::flush() noexcept {
    bool some = false;
    for (Lane& lane : lanes_) {
        some = some || lane.count > 0;
        if (lane.count > 0) send(lane);
        lane.port->flush();
    }
    return some;
}

[[gnu::noinline]] void Transmit::send(Lane& lane) noexcept {
    unsigned taken = 0;
    while (taken < lane.count) {  // a port may take a part at a time; 0 says that it is full
        const auto n = lane.port->tx(lane.mbufs.data() + taken,
                                     static_cast<std::uint16_t>(lane.count - taken));
        if (n == 0) break;
        taken += n;
    }
    for (unsigned i = 0; i < taken;) {  // runs of the same tally: nearly always one
        unsigned end = i + 1;
        while (end < taken && lane.tallies[end] == lane.tallies[i])
            ++end;
        count_sent(lane.tallies[i], end - i);
        i = end;
    }
    for (unsigned i = taken; i < lane.count; ++i) {
        rte_pktmbuf_free(lane.mbufs[i]);
        count_dropped(lane.tallies[i]);
    }
    counters_.add(Stat::tx_packets, taken);
    lane.count = 0;
}

void Transmit::count_sent(Tally t, unsigned n) noexcept {
    if (t.table == Table::verdict) counters_.verdicts[t.row].add(n);
    if (t.table == Table::parked) counters_.parked_ends[t.row].add(n);
}

void Transmit::count_dropped(Tally t) noexcept {
    if (t.table == Table::verdict) counters_.add(Verdict::drop_tx_full);
    if (t.table == Table::parked) counters_.add(ParkedEnd::drop_tx_full);
    if (t.table == Table::upstream) counters_.add(Stat::upstream_tx_full);
}

}  // namespace steer
