// Which of a list's routers serve which clients (`routers.NAME.serves`).
#pragma once

#include <vector>

#include "control/config/settings.h"
#include "matchers/prefix/ip_address.h"

namespace steer::build {

struct ServedRange {
    IpAddress first, last;  // both inside
    std::vector<config::RouterIndex>
        routers;  // some of the list's, in its order; never none, never all
};

// Disjoint and sorted. Clients outside are behind all of the list's routers, or behind none, which counts as behind all,
// as `trusted_forwarders` do: then no row is missed.
std::vector<ServedRange> served_ranges(const config::Settings& settings,
                                       const std::vector<config::RouterIndex>& routers);

}  // namespace steer::build
