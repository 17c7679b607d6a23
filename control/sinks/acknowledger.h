// Sends acknowledgements to workers: if a ring is full, they wait here. One thread: `routers`.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <utility>

#include "control/runtime/dataplane_runtime.h"
#include "dataplane/event/event.h"

namespace steer {

// Outcomes of answers that waited. Written by the thread of the services, read by any. Workers count
// `late` (Stat::hold_late); here it stays 0.
using OutcomeCounts =
    std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Outcome::count_)>;

class Acknowledger {
  public:
    explicit Acknowledger(DataplaneRuntime& runtime) : runtime_(runtime) {}
    void acknowledge(std::uint64_t hold_token, Outcome outcome);
    // Tries again; true if none is left.
    bool flush();

    OutcomeCounts outcomes{};

  private:
    DataplaneRuntime& runtime_;
    std::deque<std::pair<unsigned, Message>> backlog_;
};

}  // namespace steer
