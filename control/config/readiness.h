// Which forwards a configuration needs to answer its clients: what the condition `upstreams` of /readyz asks for.
//
// Of each entry, those that every query without a branch is forwarded by. A branch is a rule with a condition; `!has_resp`
// and `_true` are no conditions. A `fallback` is one need. In an entry without such a forward, all its forwards are one need.
// `ready` of a forward overrides its place. Zones, FWD records and forwards in branches count by `ready: true` only.
#pragma once

#include <vector>

#include "control/config/settings.h"

namespace steer::config {

// Met while one of the forwards answers.
struct ForwardNeed {
    std::vector<PluginIndex> any_of;  // sorted, each once; not empty
    bool has_stale = false;           // a cache with stale answers stands before one of them
    bool operator==(const ForwardNeed&) const = default;
};

// All have to be met. `settings`: from load(), without an error.
std::vector<ForwardNeed> forward_needs(const Settings& settings);

}  // namespace steer::config
