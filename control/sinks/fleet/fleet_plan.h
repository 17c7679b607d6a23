// The settings of the section `fleet`: the identity of this box, and how to reach its Redis.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/sinks/fleet/redis_connection.h"
#include "routeros/transport.h"

namespace steer::fleet {

struct FleetPlan {
    std::string name, box;
    std::uint64_t lease_ms = 1500;
    bool share_tickets = true;
    // The transport to Redis. With Sentinels it has only TLS settings; their answer is the host.
    routeros::TransportConfig redis;
    std::vector<routeros::TransportConfig> sentinels;
    std::string master;  // the Sentinels' name of Redis
    RedisLogin login;
    bool operator==(const FleetPlan&) const = default;
};

// Whether there is such a section.
bool has_fleet(const config::Settings& settings);
// No value: there is no section. Queries the system for the host's name.
std::optional<FleetPlan> fleet_plan(const config::Settings& settings);

// Whether only this machine can reach that address.
bool is_local(const routeros::TransportConfig& place);
// "192.0.2.10:6379", or a path.
std::string place_text(const routeros::TransportConfig& place);

}  // namespace steer::fleet
