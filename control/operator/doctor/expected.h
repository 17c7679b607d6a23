// What a configuration needs from one of its routers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/operator/setup/router_plan.h"
#include "routeros/features.h"

namespace steer::doctor {

struct Expected {
    setup::RouterPlan plan;               // lists by egress, users, services
    std::optional<IpAddress> dns4, dns6;  // our addresses that clients use
    std::vector<std::string> nat64;       // prefixes of DNS64, "64:ff9b::/96"; empty: no DNS64
    std::vector<routeros::FeatureId> features;  // those that the configuration uses on this router
    bool redirects = false;              // --redirect: notes about other resolvers include rules
    std::string lease_domain{};          // of this router's dhcp_leases; empty: none
    std::vector<IpAddress> upstreams{};  // addresses that a `forward` asks

    [[nodiscard]] const std::optional<IpAddress>& dns(bool v4) const { return v4 ? dns4 : dns6; }

    // Lists of one family, for all egresses.
    [[nodiscard]] std::vector<std::string> lists(bool v4) const;
};

// One for each router, in the order of setup::plan_routers().
std::vector<Expected> expected_of(const config::Settings& settings);

}  // namespace steer::doctor
