// Whether the present time is within the periods of a `time` matcher. The main thread sets it when
// a period begins or ends (control/program/build/time_windows.h). So a worker reads no clock: its
// cost is one load. One for each list of periods, shared by all workers and generations.
#pragma once

#include <atomic>

namespace steer {

class TimeWindow {
  public:
    [[nodiscard]] bool is_open() const noexcept { return open_.load(std::memory_order_relaxed); }
    void set(bool open) noexcept {
        if (open != is_open()) open_.store(open, std::memory_order_relaxed);
    }

  private:
    alignas(64) std::atomic<bool> open_{false};  // its own cache line: workers read it
};

}  // namespace steer
