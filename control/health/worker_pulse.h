// Detects stuck workers from outside, also without traffic, by counters that must move.
//
// A worker that is awake passes quiescent states; a sleeping worker is woken by the check and goes to sleep again. The
// caller does both about once a second. A worker whose numbers do not change for kPatienceMs is stuck, or has ended.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace steer {

class WorkerPulse {
  public:
    static constexpr std::uint64_t kPatienceMs = 5'000;

    // The present numbers of one worker. If one of them changed since the last check, it is alive.
    struct Beat {
        std::uint64_t quiescent = 0;  // the last token that it saw; 0: it is asleep
        std::uint64_t sleeps = 0;     // so far
        bool operator==(const Beat&) const = default;
    };
    void see(unsigned worker, Beat beat, std::uint64_t now_ms);

    // "worker 2 has been stuck for 7 s"; empty: none is stuck.
    [[nodiscard]] std::string trouble(std::uint64_t now_ms) const;

  private:
    struct Known {
        Beat beat;
        std::uint64_t moved_ms = 0;
    };
    std::vector<Known> workers_;
};

}  // namespace steer
