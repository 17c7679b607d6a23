// The longest turn of a loop, by the CPU time of its own thread: waits, and a machine that is busy
// with others, do not count. Costs one system call a turn. The thread itself counts, any other
// thread reads.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>

namespace steer {

class TurnClock {
  public:
    // Only the thread itself calls these two. A turn ends where the next one begins.
    void begin() { begun_ns_ = own_ns(); }
    void end_turn() {
        const std::uint64_t now_ns = own_ns();
        if (now_ns - begun_ns_ > longest_ns()) longest_ns_.store(now_ns - begun_ns_, kRelaxed);
        begun_ns_ = now_ns;
    }

    [[nodiscard]] std::uint64_t longest_ns() const { return longest_ns_.load(kRelaxed); }

  private:
    static constexpr auto kRelaxed = std::memory_order_relaxed;

    static std::uint64_t own_ns() {
        timespec used{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
        return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 +
               static_cast<std::uint64_t>(used.tv_nsec);
    }

    std::uint64_t begun_ns_ = 0;
    std::atomic<std::uint64_t> longest_ns_{0};
};

}  // namespace steer
