// When a reader of the history has the newest queries written first.
//
// A writer that is busy does not finish within a reader's patience. Then the readers of the next
// kPause take what is written: a page asks a dozen questions, and each would wait. Any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace steer::recorder {

class FlushPacer {
  public:
    static constexpr std::uint64_t kPauseMs = 5'000;

    [[nodiscard]] bool is_due(std::uint64_t now_ms) const {
        return now_ms >= paused_until_ms_.load(std::memory_order_relaxed);
    }
    // `has_finished`: the newest queries were written in time.
    void ended(bool has_finished, std::uint64_t now_ms) {
        if (!has_finished) paused_until_ms_.store(now_ms + kPauseMs, std::memory_order_relaxed);
    }

  private:
    std::atomic<std::uint64_t> paused_until_ms_ = 0;
};

}  // namespace steer::recorder
