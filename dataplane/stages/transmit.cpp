#include "dataplane/stages/transmit.h"

#include <rte_mbuf.h>

#include "dataplane/stages/reply.h"
#include "dataplane/stages/stage_clock.h"

namespace steer {

Transmit::Transmit(unsigned worker, std::span<Port* const> ports,
                   std::span<Ring<Message>* const> to_worker, Counters& counters, Capture* capture)
    : own_lanes_(static_cast<unsigned>(ports.size())),
      worker_(static_cast<std::uint8_t>(worker)),
      counters_(counters),
      capture_(capture) {
    lanes_.reserve(ports.size() + to_worker.size());
    for (Port* p : ports)
        lanes_.push_back(Lane{.port = p});
    for (Ring<Message>* r : to_worker)
        lanes_.push_back(Lane{.ring = r});
}

Transmit::~Transmit() {
    for (Lane& lane : lanes_) {
        for (unsigned i = 0; i < lane.count; ++i)
            rte_pktmbuf_free(lane.mbufs[i]);
    }
}

bool Transmit::flush() noexcept {
    bool some = false;
    for (Lane& lane : lanes_) {
        some = some || lane.count > 0;
        if (lane.count > 0) send(lane);
        if (lane.port != nullptr) lane.port->flush();
    }
    return some;
}

[[gnu::noinline]] void Transmit::send(Lane& lane) noexcept {
    if (lane.port == nullptr) return hand_over(lane);
    stage_ends(Stage::answer);  // lanes are also sent while answers are written
    if (capture_ != nullptr && capture_->is_on()) [[unlikely]]
        capture_->inspect({lane.mbufs.data(), lane.count}, *lane.port,
                          static_cast<unsigned>(&lane - lanes_.data()), true);
    unsigned taken = 0;
    while (taken < lane.count) {  // a port may accept a part at a time; 0 means full
        const auto n = lane.port->tx(lane.mbufs.data() + taken,
                                     static_cast<std::uint16_t>(lane.count - taken));
        if (n == 0) break;
        taken += n;
    }
    counters_.add(Stat::tx_packets, taken);
    count_taken(lane, taken);
    lane.count = 0;
    stage_ends(Stage::transmit);
}

// The mbufs become the other worker's.
[[gnu::noinline]] void Transmit::hand_over(Lane& lane) noexcept {
    std::array<Message, kBurst> messages;
    for (unsigned i = 0; i < lane.count; ++i) {
        messages[i] = {.kind = MessageKind::send_frame, .from = worker_, .pointer = lane.mbufs[i]};
        if (lane.tallies[i].table == Table::verdict) {
            lane.tallies[i] = {Table::moved,
                               index(moved_for(static_cast<Verdict>(lane.tallies[i].row)))};
        }
    }
    count_taken(lane, lane.ring == nullptr ? 0 : lane.ring->push_some(messages.data(), lane.count));
    lane.count = 0;
}

// Counts what left, drops the rest.
void Transmit::count_taken(Lane& lane, unsigned taken) noexcept {
    if (!lane.mixed && taken > 0) [[likely]] {
        count_sent(lane.tallies[0], taken);
    } else {
        for (unsigned i = 0; i < taken; ++i)
            count_sent(lane.tallies[i], 1);
    }
    for (unsigned i = taken; i < lane.count; ++i) {
        rte_pktmbuf_free(lane.mbufs[i]);
        count_dropped(lane.tallies[i]);
        if ((lane.recorded >> i & 1) != 0) lane.records[i]->end = EndRow::drop_tx_full;
    }
    lane.recorded = 0;
    lane.mixed = false;
}

void Transmit::count_sent(Tally t, unsigned n) noexcept {
    switch (t.table) {
        case Table::verdict:
            return counters_.verdicts[t.row].add(n);
        case Table::moved:
            return counters_.moved[t.row].add(n);
        case Table::parked:
            return counters_.pending_outcomes[t.row].add(n);
        case Table::other:
            return counters_.add(Stat::frames_for_others, n);
        case Table::upstream:
            return;
    }
}

void Transmit::count_dropped(Tally t) noexcept {
    switch (t.table) {
        case Table::verdict:
            return counters_.add(Verdict::drop_tx_full);
        case Table::moved:
            return counters_.add(Moved::drop_tx_full);
        case Table::parked:
            return counters_.add(PendingOutcome::drop_tx_full);
        case Table::other:
            return counters_.add(Stat::frames_for_others_dropped);
        case Table::upstream:
            return counters_.add(Stat::upstream_tx_full);
    }
}

}  // namespace steer
