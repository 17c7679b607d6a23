// Every ros_list, and the routers that are followed for them or for their DNS servers. For
// control/sources/router_lists.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "dataplane/answer/live_prefixes.h"
#include "routeros/list_reader.h"
#include "routeros/transport.h"

namespace steer::build {

struct ListedRouter {
    routeros::ListReader::Config reader;
    routeros::TransportConfig transport;
    std::string servers_file;  // for its DNS servers; empty: no `forward` uses them
    [[nodiscard]] const std::string& name() const { return reader.access.name; }
    bool operator==(const ListedRouter&) const = default;
};

struct RouterListPlan {
    std::string tag, list;
    std::vector<std::string> routers;   // by name
    std::shared_ptr<LivePrefixes> set;  // the set that the program reads; survives reloads
};

struct RouterListPlans {
    std::vector<RouterListPlan> plugins;
    std::vector<ListedRouter> routers;  // each once
};

class Registry;
RouterListPlans router_list_plans(const config::Settings& settings, Registry& registry);

}  // namespace steer::build
