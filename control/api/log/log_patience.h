// How long the log's thread waits for a reader: without a limit, until another thread sets one.
#pragma once

#include <atomic>
#include <chrono>

#include "dataplane/port/descriptor.h"

namespace steer::ops {

class LogPatience {
  public:
    using Clock = std::chrono::steady_clock;

    LogPatience();
    // Waits of the log's thread end at this time, the present one too. Any thread.
    void limit(Clock::time_point end);
    void lift();
    [[nodiscard]] bool is_over() const;

    // Of the log's thread. Waits until the descriptor takes bytes; false: the limit was reached.
    bool wait_for_room(int descriptor);
    // False: the limit was reached.
    bool pause(std::chrono::milliseconds time);

  private:
    bool wait(int descriptor, Clock::time_point until);

    steer::Descriptor wake_;  // an eventfd: the limit has changed
    std::atomic<Clock::rep> end_;
};

}  // namespace steer::ops
