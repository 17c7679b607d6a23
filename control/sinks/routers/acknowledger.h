// Sends acknowledgements to workers. If a ring is full, they wait here. One thread: `routers`.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <utility>

#include "control/runtime/dataplane_runtime.h"
#include "dataplane/event/event.h"

namespace steer {

// Outcomes of answers that waited, and `refused` of all answers. The thread of the services writes
// them, any thread reads them. Workers count `late` (Stat::hold_late); here it stays 0.
using OutcomeCounts =
    std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Outcome::count_)>;

class Acknowledger {
  public:
    explicit Acknowledger(DataplaneRuntime& runtime) : runtime_(runtime) {}
    void acknowledge(std::uint64_t hold_token, Outcome outcome);
    // The outcome of an answer that did not wait.
    void count(Outcome outcome) {
        outcomes[static_cast<std::size_t>(outcome)].fetch_add(1, std::memory_order_relaxed);
    }
    // Tries again to send waiting ones; returns true if none is left.
    bool flush();

    OutcomeCounts outcomes{};

  private:
    DataplaneRuntime& runtime_;
    std::deque<std::pair<unsigned, Message>> backlog_;
};

}  // namespace steer
