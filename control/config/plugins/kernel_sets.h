// A check for all plugin types with KernelSets: `ipset`, `nftset`, `bgp_route`.
#pragma once

#include "control/config/plugin_type.h"

namespace steer::config {

// Reports lifetimes that contradict each other.
void check_set_lives(Reading& in, const Node& map, const Plugin& plugin, const KernelSets& args);

}  // namespace steer::config
