// Shares the queries of a device that has fewer queues than there are workers: each flow (client
// address and port) has one worker, by hash, and the worker that received a query moves it there.
//
// In:   classified queries of one port.
// Out:  those of other workers' flows as messages (MessageKind::query_frame), by which the mbufs
//       change hands; the rest is still in the burst. Nothing of a snapshot goes along: the target
//       serves the query under its own.
// Cost: one hash a query and one enqueue a target and burst. A device that spreads its packets
//       itself (a queue for each worker) pays a comparison a burst.
// Ends: Verdict::query_moved. A target that is behind gets no more: its queries are served here.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/counters.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/shared.h"

namespace steer {

// Whose flow it is, of `workers`.
[[nodiscard]] unsigned worker_of_flow(const IpAddress& client, std::uint16_t port,
                                      unsigned workers) noexcept;

class SoftwareRss {
  public:
    // `ports`: the worker's own.
    SoftwareRss(const WorkerOptions& options, std::span<Port* const> ports,
                const WorkerRings& rings, Counters& counters);

    // Whether queries of a device with so many queues are shared.
    [[nodiscard]] bool is_for(unsigned queues) const noexcept { return queues < spread_below_; }
    void spread(Burst& burst) noexcept;

  private:
    using Targets = std::array<std::uint8_t, kBurst>;  // by place in the burst
    void move_to(unsigned worker, const Burst& burst, Targets& targets) noexcept;
    [[nodiscard]] unsigned room_at(const Ring<Message>& ring) const noexcept;

    const WorkerRings& rings_;
    Counters& counters_;
    unsigned workers_;
    unsigned spread_below_;  // queues of a device; 0: never
    unsigned most_waiting_;  // messages in a ring that takes a query
    std::uint8_t worker_;
};

}  // namespace steer
