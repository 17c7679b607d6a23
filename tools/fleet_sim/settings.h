// The settings of a simulation: sizes, rates, times. The defaults are the fleet of
// docs/guides/sizing.md.
#pragma once

#include <cstdint>
#include <string>

namespace steer::fleet_sim {

struct Settings {
    // The whole deployment. A PoP has its own routers, its own clients and its own fleet (with its
    // own name in Redis).
    unsigned boxes = 100, routers = 500, pops = 50;
    std::uint64_t clients = 10'000'000;
    unsigned full = 1;  // PoPs that are simulated; the others are assumed to be like them
    // The clients' queries.
    double rate = 0.03;  // queries per client and second, A and AAAA together
    std::string
        names_file;  // names by popularity, one per line, or "rank,name"; empty: generated names
    unsigned names = 1'000'000;
    double zipf = 0.91;    // exponent of their popularity
    double listed = 0.02;  // share of the names that the policy list has
    double ipv6 = 0.3;     // share of these names that have AAAA records
    // Times on the simulated clock.
    std::uint32_t warm_s = 3900, measure_s = 900;
    std::uint32_t reboot_s =
        0;  // router 0 of a PoP reboots at this time of the measurement; 0: none reboots
    std::uint64_t seed = 1;
    // The product's settings.
    bool async = false;
    std::uint32_t max_rows = 50'000, max_ttl_s = 3600;
    std::uint32_t lease_ms = 1500;
    // The routers and Redis.
    std::string preset = "fast";
    std::uint32_t router_latency_us = 2'000;  // round trip
    std::uint32_t redis_latency_us = 200;     // one way
    // Files for a run with real processes: each query with its client and time, and the records of
    // the names as a zone file.
    std::string arrivals_file, zone_file;
    bool measures_memory = true;

    [[nodiscard]] unsigned boxes_of_pop() const { return boxes / pops; }
    [[nodiscard]] unsigned routers_of_pop() const { return routers / pops; }
    [[nodiscard]] std::uint64_t clients_of_pop() const { return clients / pops; }
};

// Returns an empty string if the settings are consistent, else a sentence that names the fault and
// the correction.
std::string complaint(const Settings& settings);

}  // namespace steer::fleet_sim
