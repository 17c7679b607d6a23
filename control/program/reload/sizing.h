// Sizes of tables for the available memory, and the assignment of CPUs.
#pragma once

#include <cstdint>
#include <vector>

#include "control/config/settings.h"
#include "control/program/reload/runtime_options.h"
#include "matchers/result.h"

namespace steer {

struct CpuPlan {
    std::vector<unsigned> workers;  // one CPU each
    std::vector<unsigned> control;  // for all other threads; not empty
};

// Assigns workers to the last CPUs that this process may use (or to the configured ones), and
// everything else to the others. If there are too few CPUs, they share. `near`: CPUs that workers
// get before all others (cpus_near_ports()). Error: a CPU that this process may not use.
Result<CpuPlan> plan_cpus(const config::Dataplane& settings, const std::vector<unsigned>& allowed,
                          const std::vector<unsigned>& near = {});

// Binds the calling thread, and threads that it creates later, to these CPUs.
void bind_to(const std::vector<unsigned>& cpus);

// Rows that the row board would have with enough memory.
std::uint64_t wanted_board_rows(const Snapshot& snapshot);

// Sizes of the tables for a configuration on `memory_bytes` of DPDK memory. Error: a cache larger
// than that.
Result<RuntimeOptions> plan_tables(const config::Settings& settings, const Snapshot& snapshot,
                                   std::uint64_t memory_bytes, unsigned workers);

}  // namespace steer
