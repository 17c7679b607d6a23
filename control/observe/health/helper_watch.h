// Which helper threads are stuck: their work uses no CPU for kPatienceMs. A helper answers no query, so the watchdog does
// not end the process for it; the operator is told.
//
// A helper that waits for something slow (a hanging disk, a pattern that takes minutes to compile) counts as stuck, too.
// One that computes without end does not. No clock and no I/O.
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
    // A longer time between two looks means that the looker itself was stopped.
    static constexpr std::uint64_t kMostStepMs = 1'000;

    struct Sight {
        HelperWork::Running work;
        std::uint64_t ran_ns = 0, waited_ms = 0;  // on a CPU, for a CPU; of the thread, so far
    };
    // `now`: all work that runs; `passed_ms`: since the look before. Returns what is found stuck by this look.
    std::vector<HelperWork::Running> look(const std::vector<Sight>& now, std::uint64_t passed_ms);

    // After its stack was taken, which uses CPU time of the thread.
    void stack_was_taken(const Sight& sight);

    struct Stuck {
        std::string name;
        std::uint64_t serial = 0, still_ms = 0;
        [[nodiscard]] std::string sentence() const;  // "helper reload has been stuck for 75 s"
    };
    // In the order of their begin.
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
