// Finds ports whose descriptor ends their worker's sleep again and again, although there is no work.
// A worker then uses a whole CPU, and its busy time does not show it.
//
// Pure: the caller has the clock and the counts. Main thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace steer {

class WakeupWatch {
  public:
    // A queue that had more wake-ups without work than this for so long is restless.
    static constexpr std::uint64_t kMostPerSecond = 1000, kLongMs = 10'000;

    // `count`: Port::wakeups_without_work() of the queue of this index. Call it periodically.
    void check(std::uint64_t now_ms, std::size_t queue, std::uint64_t count);
    // Of the last second, if the queue is restless; else 0.
    [[nodiscard]] std::uint64_t restless_per_second(std::size_t queue) const;

  private:
    static constexpr std::uint64_t kIntervalMs = 1000;

    struct Queue {
        bool is_known = false;
        std::uint64_t since_ms = 0, count = 0;  // of this interval
        std::uint64_t restless_ms = 0;          // without a quiet interval
        std::uint64_t per_second = 0;
    };
    std::vector<Queue> queues_;
};

}  // namespace steer
