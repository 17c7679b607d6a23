// The clients that each of a list's routers serves (`routers.NAME.serves`).
#pragma once

#include <vector>

#include "control/config/settings.h"
#include "matchers/prefix/ip_address.h"

namespace steer::build {

struct ServedRange {
    IpAddress first, last;  // both inclusive
    std::vector<config::RouterIndex>
        routers;  // some of the list's, in its order; neither none nor all
};

// Disjoint and sorted. Clients outside are served by all of the list's routers. `trusted_forwarders` also count as served
// by all, so that no row is missed.
std::vector<ServedRange> served_ranges(const config::Settings& settings,
                                       const std::vector<config::RouterIndex>& routers);

}  // namespace steer::build
