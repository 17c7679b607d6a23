// A check that the types of KernelSets share: `ipset`, `nftset`, `bgp_route`.
#pragma once

#include "control/config/plugin_type.h"

namespace steer::config {

// Reports lifetimes that do not fit together.
void check_set_lives(Reading& in, const Node& map, const Plugin& plugin, const KernelSets& args);

}  // namespace steer::config
