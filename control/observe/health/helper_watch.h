// Finds stuck helper threads: their work uses no CPU for kPatienceMs. Helpers answer no queries, so
// the watchdog does not end the process for them; it notifies the operator.
//
// A helper that waits for something slow (a hanging disk) counts as stuck, too. A helper that
// computes without end does not. No clock and no I/O.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "control/host/process/helper_work.h"

namespace steer {

class HelperWatch {
  public:
    static constexpr std::uint64_t kPatienceMs = 60'000;
    // After a longer time between two checks, the checking thread itself was stopped.
    static constexpr std::uint64_t kMostStepMs = 1'000;

    struct Sight {
        HelperWork::Running work;
        std::uint64_t ran_ns = 0, waited_ms = 0;  // on a CPU, for a CPU; of the thread so far
    };
    // `now`: all running work. `passed_ms`: time since the last check. Returns the work that this
    // check finds stuck.
    std::vector<HelperWork::Running> check(const std::vector<Sight>& now, std::uint64_t passed_ms);

    // Call it after taking the thread's stack, which uses its CPU time.
    void stack_was_taken(const Sight& sight);

    struct Stuck {
        std::string name;
        std::uint64_t serial = 0, still_ms = 0;
        [[nodiscard]] std::string sentence() const;  // "helper reload has been stuck for 75 s"
    };
    // In the order of their beginning.
    [[nodiscard]] std::vector<Stuck> stuck() const;

  private:
    struct Known {
        std::string name;
        std::uint64_t ran_ns = 0, waited_ms = 0;
        std::uint64_t still_ms = 0;
    };
    std::map<std::uint64_t, Known> known_;  // by serial
};

}  // namespace steer
