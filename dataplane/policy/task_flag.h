// What a query leaves for control to do beside it: that it is wanted, not by whom, nor how often. One for each
// executor of that kind, the same for all workers and generations. A worker's part is one load, and one store when
// nobody has raised it yet.
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
    // Whether it was raised; it is not any more.
    bool take() noexcept { return raised_.exchange(false, std::memory_order_relaxed); }

  private:
    alignas(64) std::atomic<bool> raised_{false};  // a line of its own: workers read it
};

}  // namespace steer
