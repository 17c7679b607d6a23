// The forwards that a configuration needs to answer its clients: the requirements of the condition
// `upstreams` of /readyz.
//
// An entry needs each forward that every query outside of branches reaches. A branch is a rule with
// a condition; `!has_resp` and `_true` are not conditions. A `fallback` is one need. If an entry
// has no such forward, all its forwards together are one need. `ready` of a forward overrides this.
// Zones, FWD records and forwards in branches count only with `ready: true`.
#pragma once

#include <vector>

#include "control/config/settings.h"

namespace steer::config {

// At least one of the forwards must answer.
struct ForwardNeed {
    std::vector<PluginIndex> any_of;  // sorted, each once; not empty
    bool has_stale = false;           // one of them is behind a cache with stale answers
    bool operator==(const ForwardNeed&) const = default;
};

// All needs must be met. `settings`: from load(), without an error.
std::vector<ForwardNeed> forward_needs(const Settings& settings);

}  // namespace steer::config
