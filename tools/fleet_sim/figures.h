// The results of a run, as JSON. All but the object `machine` is the same for the same seed.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <memory>
#include <vector>

#include "tools/fleet_sim/pop.h"

namespace steer::fleet_sim {

// The counters of a PoP at one moment. A figure is the difference of two.
struct Marks {
    struct OfRouter {
        std::array<std::uint64_t, routeros::kWriteClasses> rows{};  // written, by class
        std::uint64_t added = 0, extended = 0, removed = 0, prints = 0;
        std::uint64_t refused = 0, evicted = 0, sim_adds = 0, sim_sets = 0, sim_removes = 0;
        std::int64_t cpu_us = 0;
        rossim::CpuTimes cpu_by_class{};
        std::uint64_t bytes_in = 0, bytes_out = 0, sessions = 0;
        routeros::RowDelays delays;
    };
    std::vector<OfRouter> routers;
    std::vector<BoxCounters> boxes;
    std::vector<fleet::FleetCounters> fleets;
    RedisLoad redis;
    Judged judged;
    std::int64_t at_us = 0;
    double product_s = 0;
    double clock_s = 0, cpu_s = 0;  // of this process
};
Marks marks_of(const Pop& pop);

// Row sums of each router and claim peaks of each box, sampled in equal steps.
struct Samples {
    std::vector<std::uint64_t> row_sums;  // by router
    std::vector<std::size_t> row_peaks;
    std::vector<std::size_t> claim_peaks;  // by box, of all its engines
    std::size_t pending_peak = 0;          // places waiting to be written, of one router
    std::size_t pending_end = 0;
    std::size_t redis_bytes_peak = 0, redis_members_peak = 0;
    std::uint64_t taken = 0;
    void take(const Pop& pop);
};

// Memory of the product in bytes, measured in this process (malloc, rte_malloc).
struct MemoryCosts {
    double claim_bytes = 0;  // of an engine that is not connected
    double row_bytes = 0;    // additional, after the engine has read a router's rows
    double board_bytes = 0;  // of an entry of the row board
};
MemoryCosts measure_memory(const Settings& settings, const Names& names, rte_rcu_qsbr* readers);

// The cost of a router's reboot.
struct Reboot {
    std::size_t rows = 0;  // that the router had before
    double repaired_s =
        0;  // until all rows that must exist exist again, downtime included; 0: not in the run
};

struct Run {
    const Pop* pop;
    Marks begin, end;
    Samples samples;
    Reboot reboot;
};
boost::json::object figures(const Settings& settings, const Names& names,
                            const std::vector<Run>& runs, const MemoryCosts& memory);

}  // namespace steer::fleet_sim
