// A worker: one lcore that owns a set of port queues and runs every DNS decision to completion.
//
// poll() is one turn of its loop and does not wait. run() calls it until stop() and sleeps in between as
// `idle` configures. Tests call poll() by hand, for several workers in one thread, with a clock of
// their own.
//
// After construction it may not allocate from the heap, lock, log, throw, or call the system. The exceptions are
// a port's own wake-ups and its own sleep.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/base/clock.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/query_counters.h"
#include "dataplane/base/ring.h"
#include "dataplane/forward/upstream_health.h"
#include "dataplane/port/port.h"
#include "dataplane/stages/shared.h"

namespace steer {

class Worker {
  public:
    // `ports` outlive the worker and belong to it alone.
    Worker(const WorkerOptions& options, Shared& shared, const WorkerRings& rings,
           std::vector<Port*> ports, Sleeper& sleeper, Clock& clock);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // One turn. True if there was work.
    bool poll(Now now) noexcept;
    // Until stop(); registers with QSBR, goes offline while asleep.
    void run() noexcept;
    void stop() noexcept;  // any thread

    [[nodiscard]] const Counters& counters() const noexcept;
    [[nodiscard]] const QueryCounters& query_counters() const noexcept;
    [[nodiscard]] unsigned parked() const noexcept;
    // What probes of our own say (forward/forwarder.h); any thread.
    void probed(std::uint16_t upstream, bool is_silent, bool without_edns) noexcept;
    // This worker's measurements of an upstream (Upstream::id); any thread.
    [[nodiscard]] const UpstreamHealth& upstream_health(std::uint16_t upstream) const noexcept;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace steer
