// A flag by which a query asks control for work: only that it is needed, not who asked or how often. One for each
// executor of that kind, shared by all workers and generations. A worker's cost is one load, and one store if
// the flag is not raised yet.
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
    // Whether it was raised; clears it.
    bool take() noexcept { return raised_.exchange(false, std::memory_order_relaxed); }

  private:
    alignas(64) std::atomic<bool> raised_{false};  // a cache line of its own: workers read it
};

}  // namespace steer
