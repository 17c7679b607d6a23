// What the section `fleet` of a configuration means: who this box is, and how its Redis is reached.
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
    // Redis; with Sentinels only its TLS, and their answer is the host.
    routeros::TransportConfig redis;
    std::vector<routeros::TransportConfig> sentinels;
    std::string master;  // the Sentinels' name of Redis
    RedisLogin login;
    bool operator==(const FleetPlan&) const = default;
};

// Nothing: there is no section. Asks the system for the host's name.
std::optional<FleetPlan> fleet_plan(const config::Settings& settings);

// Whether only this machine reaches that address.
bool is_local(const routeros::TransportConfig& place);
// "192.0.2.10:6379", or a path.
std::string place_text(const routeros::TransportConfig& place);

}  // namespace steer::fleet
