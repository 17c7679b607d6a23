// Shows that a thread is alive: the thread counts, any other thread reads.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace steer {

class Heartbeat {
  public:
    // Only the thread itself calls these two.
    void begin() { tid_.store(::gettid(), std::memory_order_release); }
    void beat() {
        count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    [[nodiscard]] pid_t tid() const {
        return tid_.load(std::memory_order_acquire);
    }  // 0: not begun
    [[nodiscard]] std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }

  private:
    std::atomic<pid_t> tid_{0};
    std::atomic<std::uint64_t> count_{0};
};

}  // namespace steer
