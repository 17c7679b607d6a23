// Acknowledgements on their way to workers: rings are tried first, what does not fit waits here. One thread: `routers`.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <utility>

#include "control/runtime/dataplane_runtime.h"
#include "dataplane/event/event.h"

namespace steer {

// What became of answers that waited. Written by the thread of the services, read by any. `late` is the worker's to
// count (Stat::hold_late) and stays 0 here.
using OutcomeCounts =
    std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Outcome::count_)>;

class Acknowledger {
  public:
    explicit Acknowledger(DataplaneRuntime& runtime) : runtime_(runtime) {}
    void acknowledge(std::uint64_t hold_token, Outcome outcome);
    // Tries again; true if nothing is left.
    bool flush();

    OutcomeCounts outcomes{};

  private:
    DataplaneRuntime& runtime_;
    std::deque<std::pair<unsigned, Message>> backlog_;
};

}  // namespace steer
