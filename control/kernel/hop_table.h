// From what the kernel says to what a NextHopTable holds: pure functions, no netlink.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "control/kernel/addresses.h"
#include "control/kernel/neighbours.h"
#include "control/kernel/next_hops.h"
#include "control/kernel/routes.h"

namespace steer::kernel {

// What an upstream's route leads to, before its neighbour is known.
struct HopTarget {
    NextHop hop;                            // all but peer_mac
    std::optional<NeighbourKey> neighbour;  // whose MAC it needs; if via is port, and only then
    int vrf =
        0;  // that the route leads through: replies come to sockets that are bound to it; 0: none
};

// Of the interface that has the device's place now.
inline int index_of(const PortDevice& device) {
    return device.index_now != 0 ? device.index_now : device.if_index;
}

// The VRF that an interface is, or is in; 0: none.
int vrf_of(int if_index, const Interfaces& interfaces);

// Via::port if the route leaves through a port's device, or a VLAN of one, and neighbours are asked for
// there; Via::kernel if another way; Via::nothing without a route or a source address.
HopTarget resolve(const IpAddress& upstream, const Route& route, const Interfaces& interfaces,
                  std::span<const PortDevice> devices);

// The hop with the neighbour's MAC; Via::nothing while that is not usable.
NextHop complete(const HopTarget& target, const Neighbour& neighbour);

// Devices whose interface is gone take the one that has their name now.
void find_devices(const Interfaces& interfaces, std::span<PortDevice> devices);

// Each sorted, without repeats. `is_local`: whether the kernel takes an address for its own.
std::vector<IpAddress> service_addresses(const Interfaces& interfaces,
                                         std::span<const PortDevice> devices,
                                         const std::function<bool(const IpAddress&)>& is_local);
std::vector<IpAddress> own_addresses(const Interfaces& interfaces);

std::vector<DeviceState> device_states(const Interfaces& interfaces,
                                       std::span<const PortDevice> devices);

}  // namespace steer::kernel
