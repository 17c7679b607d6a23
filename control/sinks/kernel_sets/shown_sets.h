// The reported state of the kernel's sets: the last report of their process, or that it is away.
// Counters survive restarts of the process.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "control/sinks/set_process/kernel_set.h"
#include "control/sinks/set_process/set_report.h"

namespace steer::kernel_sets {

// For status and metrics.
struct SetReport {
    std::vector<sets::SetStatus> sets;
    bool was_planned = false;     // there are or were sets since the start
    bool running = false;         // and has reported its sets
    std::uint64_t restarts = 0;   // how often it ended or could not be started
    std::uint64_t overflows = 0;  // claims dropped because too many waited for it
};

// Written by one thread.
class ShownSets {
  public:
    // Stores a report of the process.
    void here(std::vector<sets::SetStatus> states);
    // Sets the present sets; new ones are away until the process reports them. Without sets, the
    // process is ended.
    void planned(const std::vector<sets::SetPlan>& plans, const std::string& error);
    // The process ended.
    void ended(const std::vector<sets::SetPlan>& plans, const std::string& error);

    // Without overflows. Any thread.
    [[nodiscard]] SetReport report() const;

  private:
    void add_counters_before(std::vector<sets::SetStatus>& states) const;

    std::map<sets::SetName, sets::SetCounters> before_;  // of processes that ended
    mutable std::mutex mutex_;
    SetReport report_;  // written under the mutex
};

}  // namespace steer::kernel_sets
