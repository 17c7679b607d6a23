// Every dhcp_leases plugin and the routers that it reads, for control/sources/leases.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "dataplane/answer/live_answers.h"
#include "routeros/dhcp_leases.h"
#include "routeros/transport.h"

namespace steer::build {

struct LeaseRouter {
    routeros::LeaseReader::Config reader;
    routeros::TransportConfig transport;
    [[nodiscard]] const std::string& name() const { return reader.name; }
    bool operator==(const LeaseRouter&) const = default;
};

struct LeasePlan {
    std::string tag;
    config::DhcpLeases args;
    std::vector<std::string> routers;      // by name, in the order of the plugin
    std::shared_ptr<LiveAnswers> answers;  // the table that the program reads; survives reloads
};

struct LeasePlans {
    std::vector<LeasePlan> plugins;
    std::vector<LeaseRouter> routers;  // each once
};

class Registry;
LeasePlans lease_plans(const config::Settings& settings, Registry& registry);

}  // namespace steer::build
