// What is shown of the kernel's sets: what their process said last, or that it is away; counters go on over its restarts.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "control/sets/kernel_set.h"
#include "control/sets/set_report.h"

namespace steer::kernel_sets {

// For status and metrics.
struct SetReport {
    std::vector<sets::SetStatus> sets;
    bool was_planned = false;     // there are sets, or were since the start
    bool running = false;         // and has said how its sets are
    std::uint64_t restarts = 0;   // times that it ended or could not be started
    std::uint64_t overflows = 0;  // rows that were not taken because too many waited for it
};

// Written by one thread.
class ShownSets {
  public:
    // As the process says.
    void here(std::vector<sets::SetStatus> states);
    // These sets from now on; those that are new are away until the process says how they are. Without sets it is ended.
    void planned(const std::vector<sets::SetPlan>& plans, const std::string& trouble);
    // The process ended.
    void ended(const std::vector<sets::SetPlan>& plans, const std::string& trouble);

    // Without overflows. Any thread.
    [[nodiscard]] SetReport report() const;

  private:
    void add_counters_before(std::vector<sets::SetStatus>& states) const;

    std::map<sets::SetName, sets::SetCounters> before_;  // of processes that ended
    mutable std::mutex mutex_;
    SetReport report_;  // written under the mutex
};

}  // namespace steer::kernel_sets
