// Distributes the queries of a device with fewer queues than workers. Each flow (client address and
// port) belongs to one worker, by hash. The receiving worker moves queries there.
//
// In:   classified queries of one port.
// Out:  queries of other workers' flows as messages (MessageKind::query_frame), which transfer the
//       mbufs; the others stay in the burst. No pointer into a snapshot is sent: the target uses
//       its own snapshot.
// Cost: one hash per query, one enqueue per target and burst. A device with a queue for each worker
//       costs one comparison per burst.
// Ends: Verdict::query_moved. A target that is behind gets no more queries; they are served here.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/counters.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/shared.h"

namespace steer {

// The worker that owns the flow.
[[nodiscard]] unsigned worker_of_flow(const IpAddress& client, std::uint16_t port,
                                      unsigned workers) noexcept;

class SoftwareRss {
  public:
    // `ports`: of this worker.
    SoftwareRss(const WorkerOptions& options, std::span<Port* const> ports,
                const WorkerRings& rings, Counters& counters);

    // Whether to distribute the queries of a device with this number of queues.
    [[nodiscard]] bool is_for(unsigned queues) const noexcept { return queues < spread_below_; }
    void spread(Burst& burst) noexcept;

  private:
    using Targets = std::array<std::uint8_t, kBurst>;  // by position in the burst
    void move_to(unsigned worker, const Burst& burst, Targets& targets) noexcept;
    [[nodiscard]] unsigned room_at(const Ring<Message>& ring) const noexcept;

    const WorkerRings& rings_;
    Counters& counters_;
    unsigned workers_;
    unsigned spread_below_;  // queues of a device; 0: never
    unsigned most_waiting_;  // messages in a ring that still takes a query
    std::uint8_t worker_;
};

}  // namespace steer
