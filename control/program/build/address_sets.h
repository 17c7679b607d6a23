// The addresses of ip_sets for workers, with those that routers change (ros_list).
#pragma once

#include <vector>

#include "control/config/settings.h"
#include "control/program/build/registry.h"
#include "dataplane/answer/live_prefixes.h"

namespace steer::build {

// `prefixes`, and those of `sets` with the sets that they name. A set that is named twice counts
// once.
AddressSet address_set(const config::Settings& settings, std::vector<matchers::Prefix> prefixes,
                       std::vector<config::PluginIndex> sets, Registry& registry);

}  // namespace steer::build
