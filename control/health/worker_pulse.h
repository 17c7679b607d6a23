// Whether workers still turn, seen from outside and without work for them: what they count anyway has to move.
//
// A worker that is awake passes quiescent states, one that sleeps is woken by whoever looks and goes to sleep again. Who
// looks does both about once a second; a worker whose numbers stay the same for kPatienceMs is stuck, or has ended.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace steer {

class WorkerPulse {
  public:
    static constexpr std::uint64_t kPatienceMs = 5'000;

    // Of one worker: both as they are now. It turned since the last look if either is another.
    struct Beat {
        std::uint64_t quiescent = 0;  // the last token that it saw; 0: it is asleep
        std::uint64_t sleeps = 0;     // so far
        bool operator==(const Beat&) const = default;
    };
    void see(unsigned worker, Beat beat, std::uint64_t now_ms);

    // "worker 2 has not turned for 7 s"; empty: all turn.
    [[nodiscard]] std::string trouble(std::uint64_t now_ms) const;

  private:
    struct Known {
        Beat beat;
        std::uint64_t moved_ms = 0;
    };
    std::vector<Known> workers_;
};

}  // namespace steer
