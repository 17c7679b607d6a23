// A flag with which queries request work from control. It says only that the work is needed, not
// which query requests it or how often. One for each executor of that kind, shared by all workers
// and generations. Cost for a worker: one load, and one store if the flag is not raised yet.
#pragma once

#include <atomic>

namespace steer {

class TaskFlag {
  public:
    void raise() noexcept {
        if (!is_raised()) raised_.store(true, std::memory_order_relaxed);
    }
    [[nodiscard]] bool is_raised() const noexcept {
        return raised_.load(std::memory_order_relaxed);
    }
    // Returns whether it was raised, and clears it.
    bool take() noexcept { return raised_.exchange(false, std::memory_order_relaxed); }

  private:
    alignas(64) std::atomic<bool> raised_{false};  // its own cache line: workers read it
};

}  // namespace steer
