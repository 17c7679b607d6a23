// A worker: one lcore that owns a set of port queues and runs every DNS decision to completion.
//
// `poll()` runs the loop once and does not wait. `run()` repeats it until stop(), and sleeps
// between turns as `idle` configures. Tests call poll() by hand, for several workers in one thread,
// with their own clock.
//
// After construction it may not allocate from the heap, lock, log, throw, or make a system call.
// Exceptions: the wake-up calls of a port, and the worker's own sleep.
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
    // `ports` must outlive the worker; no other worker uses them.
    Worker(const WorkerOptions& options, Shared& shared, const WorkerRings& rings,
           std::vector<Port*> ports, Sleeper& sleeper, Clock& clock);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // One turn. True if there was work.
    bool poll(Now now) noexcept;
    // Runs until stop(). Registers with QSBR and goes offline while asleep.
    void run() noexcept;
    void stop() noexcept;  // any thread

    [[nodiscard]] const Counters& counters() const noexcept;
    [[nodiscard]] const QueryCounters& query_counters() const noexcept;
    [[nodiscard]] unsigned parked() const noexcept;
    // Reports the result of our own probe of an upstream (forward/forwarder.h). Any thread may call
    // it.
    void probed(std::uint16_t upstream, const ProbeFindings& findings) noexcept;
    // This worker's measurements of an upstream (Upstream::id). Any thread may read them.
    [[nodiscard]] const UpstreamHealth& upstream_health(std::uint16_t upstream) const noexcept;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace steer
