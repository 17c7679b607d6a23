// Decides by heartbeats whether threads run. Has no clock and no thread.
//
// A thread is still while its heartbeat does not change. Time in which no thread could run does not
// count: the caller's own pauses (a suspended machine, SIGSTOP, a debugger), and the thread's wait
// for a CPU.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace steer {

class ThreadPulses {
  public:
    // After a longer time between two checks, the checking thread itself was stopped.
    static constexpr std::uint64_t kMostStepMs = 500;

    struct Sight {
        std::uint64_t beat = 0;
        std::uint64_t waited_ms = 0;  // total wait for a CPU so far
    };

    explicit ThreadPulses(std::size_t threads) : threads_(threads) {}

    // `passed_ms`: since the last check of all threads. Returns how long the thread has been still.
    std::uint64_t see(std::size_t thread, const Sight& sight, std::uint64_t passed_ms) {
        Known& known = threads_[thread];
        const Sight before = known.last.value_or(sight);
        const bool moved = !known.last || before.beat != sight.beat;
        known.last = sight;
        if (moved) return known.still_ms = 0;
        const std::uint64_t step_ms = std::min(passed_ms, kMostStepMs);
        const std::uint64_t waited_ms =
            sight.waited_ms - std::min(before.waited_ms, sight.waited_ms);
        return known.still_ms += step_ms - std::min(waited_ms, step_ms);
    }

  private:
    struct Known {
        std::optional<Sight> last;  // no value: not checked yet
        std::uint64_t still_ms = 0;
    };
    std::vector<Known> threads_;
};

}  // namespace steer
