// Derives a NextHopTable from the kernel's replies: pure functions, no netlink.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "control/host/kernel/addresses.h"
#include "control/host/kernel/neighbours.h"
#include "control/host/kernel/netlink.h"
#include "control/host/kernel/next_hops.h"
#include "matchers/prefix/ip_address.h"

namespace steer::kernel {

// The kernel's route to an address, queried each time (RTM_GETROUTE): the kernel evaluates rules,
// tables, multipath and nexthop objects.
struct Route {
    enum class Kind : std::uint8_t { none, local, unicast };
    Kind kind = Kind::none;  // none: no route, or a prohibiting one
    int if_index = 0;
    std::optional<IpAddress> gateway;  // no value: the destination is a neighbour
    std::optional<IpAddress> source;   // the source address that the kernel would use
};

// Uses the tables of the VRF with that index, if it is not 0.
Route ask_route(Netlink& netlink, const IpAddress& destination, int vrf = 0);

// The interface of the default route in the main table: IPv4 before IPv6, then the lowest metric. A
// dump.
std::optional<int> find_default_route_interface(Netlink& netlink);

// The result for an upstream's route, before its neighbour is known.
struct HopTarget {
    NextHop hop;                            // complete except peer_mac
    std::optional<NeighbourKey> neighbour;  // the one whose MAC it needs; only if via is port
    int vrf = 0;  // of the route: only sockets bound to it get replies; 0: none
};

// The index of the interface that is now used for the device.
inline int index_of(const PortDevice& device) {
    return device.index_now != 0 ? device.index_now : device.if_index;
}

// The VRF of an interface (itself or its master); 0: none.
int vrf_of(int if_index, const Interfaces& interfaces);

// Via::port if the route uses a port's device, or a VLAN of one, with neighbour discovery.
// Via::kernel for other routes. Via::nothing without a route or a source address.
HopTarget resolve(const IpAddress& upstream, const Route& route, const Interfaces& interfaces,
                  std::span<const PortDevice> devices);

// The hop with the neighbour's MAC; Via::nothing while no MAC is usable.
NextHop complete(const HopTarget& target, const Neighbour& neighbour);

// Assigns devices with a removed interface to the interface that now has their name.
void find_devices(const Interfaces& interfaces, std::span<PortDevice> devices);

// Both are sorted, without duplicates. `is_local`: whether an address is local to the kernel.
std::vector<IpAddress> service_addresses(const Interfaces& interfaces,
                                         std::span<const PortDevice> devices,
                                         const std::function<bool(const IpAddress&)>& is_local);
std::vector<IpAddress> own_addresses(const Interfaces& interfaces);
// The last address of each IPv4 network with more than two addresses (RFC 919 4, RFC 3021 2.1).
std::vector<IpAddress> broadcast_addresses(const Interfaces& interfaces);

std::vector<DeviceState> device_states(const Interfaces& interfaces,
                                       std::span<const PortDevice> devices);

}  // namespace steer::kernel
