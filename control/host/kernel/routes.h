// The kernel's route to an address, queried each time (RTM_GETROUTE): the kernel evaluates rules, tables, multipath
// and nexthop objects.
#pragma once

#include <cstdint>
#include <optional>

#include "control/host/kernel/netlink.h"
#include "matchers/prefix/ip_address.h"

namespace steer::kernel {

struct Route {
    enum class Kind : std::uint8_t { none, local, unicast };
    Kind kind = Kind::none;  // none: no route, or one that forbids
    int if_index = 0;
    std::optional<IpAddress> gateway;  // no value: the destination is a neighbour itself
    std::optional<IpAddress> source;   // the source address that the kernel would use
};

// Uses the tables of the VRF with that index, if it is not 0.
Route ask_route(Netlink& netlink, const IpAddress& destination, int vrf = 0);

// The interface of the default route in the main table: IPv4 before IPv6, then the lowest metric. A dump.
std::optional<int> find_default_route_interface(Netlink& netlink);

}  // namespace steer::kernel
