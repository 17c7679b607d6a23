// From the kernel's replies to a NextHopTable: pure functions, no netlink.
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

// The kernel's route to an address, queried each time (RTM_GETROUTE): the kernel evaluates rules, tables, multipath
// and nexthop objects.
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

// The result of an upstream's route, before its neighbour is known.
struct HopTarget {
    NextHop hop;                            // all except peer_mac
    std::optional<NeighbourKey> neighbour;  // the neighbour whose MAC it needs; only if via is port
    int vrf =
        0;  // that the route leads through: replies come to sockets that are bound to it; 0: none
};

// The index of the interface that now serves the device.
inline int index_of(const PortDevice& device) {
    return device.index_now != 0 ? device.index_now : device.if_index;
}

// The VRF of an interface (itself or its master); 0: none.
int vrf_of(int if_index, const Interfaces& interfaces);

// Via::port if the route leaves through a port's device, or a VLAN of one, with neighbour discovery
// there; Via::kernel for other routes; Via::nothing without a route or a source address.
HopTarget resolve(const IpAddress& upstream, const Route& route, const Interfaces& interfaces,
                  std::span<const PortDevice> devices);

// The hop with the neighbour's MAC; Via::nothing while the MAC is not usable.
NextHop complete(const HopTarget& target, const Neighbour& neighbour);

// Devices whose interface was removed use the interface that now has their name.
void find_devices(const Interfaces& interfaces, std::span<PortDevice> devices);

// Each sorted, without duplicates. `is_local`: whether an address is local to the kernel.
std::vector<IpAddress> service_addresses(const Interfaces& interfaces,
                                         std::span<const PortDevice> devices,
                                         const std::function<bool(const IpAddress&)>& is_local);
std::vector<IpAddress> own_addresses(const Interfaces& interfaces);
// The last address of each IPv4 network of more than two addresses (RFC 919 4, RFC 3021 2.1).
std::vector<IpAddress> broadcast_addresses(const Interfaces& interfaces);

std::vector<DeviceState> device_states(const Interfaces& interfaces,
                                       std::span<const PortDevice> devices);

}  // namespace steer::kernel
