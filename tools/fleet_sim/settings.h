// What is simulated: sizes, rates, times. The defaults are the fleet of docs/guides/sizing.md.
#pragma once

#include <cstdint>
#include <string>

namespace steer::fleet_sim {

struct Settings {
    // The whole deployment. A PoP has its own routers, its own fleet (a name of its own in Redis) and its own clients.
    unsigned boxes = 100, routers = 500, pops = 50;
    std::uint64_t clients = 10'000'000;
    unsigned full = 1;  // PoPs that are simulated; the others are taken to be like them
    // What clients ask.
    double rate = 0.03;  // queries a client and second, A and AAAA together
    std::string
        names_file;  // names by popularity, one a line, or "rank,name"; empty: made-up names
    unsigned names = 1'000'000;
    double zipf = 0.91;    // exponent of their popularity
    double listed = 0.02;  // share of the names that the policy list has
    double ipv6 = 0.3;     // share of these names that have AAAA records
    // Times, of the simulated clock.
    std::uint32_t warm_s = 3900, measure_s = 900;
    std::uint32_t reboot_s =
        0;  // after this much of the measurement router 0 of a PoP reboots; 0: none does
    std::uint64_t seed = 1;
    // The product's settings.
    bool async = false;
    std::uint32_t max_rows = 50'000, max_ttl_s = 3600;
    std::uint32_t lease_ms = 1500;
    // The routers and Redis.
    std::string preset = "fast";
    std::uint32_t router_latency_us = 2'000;  // round trip
    std::uint32_t redis_latency_us = 200;     // one way
    // Files for a run with real processes: who asks what and when, and the records of the names, as a zone file.
    std::string arrivals_file, zone_file;
    bool measures_memory = true;

    [[nodiscard]] unsigned boxes_of_pop() const { return boxes / pops; }
    [[nodiscard]] unsigned routers_of_pop() const { return routers / pops; }
    [[nodiscard]] std::uint64_t clients_of_pop() const { return clients / pops; }
};

// Empty: they fit; else a sentence that says what does not, and what to write.
std::string complaint(const Settings& settings);

}  // namespace steer::fleet_sim
