// What readiness asks of upstreams, and what it asks them: from settings to groups and ids of a snapshot.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "control/config/settings.h"
#include "control/program/build/build.h"
#include "dataplane/policy/snapshot.h"

namespace steer::build {

using GroupsOfForwards = std::map<config::PluginIndex, std::uint32_t>;

std::vector<UpstreamNeed> upstream_needs(const config::Settings& settings,
                                         const GroupsOfForwards& groups);

// By Upstream::id. Of two forwards with the same upstream the one with the shorter `every` counts.
std::map<std::uint16_t, UpstreamProbe> upstream_probes(const config::Settings& settings,
                                                       const GroupsOfForwards& groups,
                                                       const Snapshot& snapshot);

}  // namespace steer::build
