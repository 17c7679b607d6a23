// The paths to upstreams for workers: one immutable table that control builds from the kernel's
// routes and neighbours, published by pointer, freed after a grace period.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/port/port.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

struct NextHop {
    enum class Via : std::uint8_t {
        nothing,  // no route, or the neighbour is still unknown: the query waits for its retry
        kernel,   // the route does not leave through a port: ask by kernel socket
        port,     // send own frames
    };
    Via via = Via::nothing;
    bool tagged = false;  // send with `vlan_tci`
    std::uint16_t vlan_tci = 0;
    int if_index = 0;       // the port's device; each worker uses its own queue of it
    MacAddress peer_mac{};  // of the gateway or the upstream itself
    MacAddress own_mac{};
    IpAddress source;  // our address on that route
    bool operator==(const NextHop&) const = default;
};

// A port's device in the kernel: frames to its MAC address are ours, untagged ones and those of VLANs
// that it has children for.
struct OwnDevice {
    struct Vlan {
        std::uint32_t tags = 0;  // outer id << 16 | inner id (0: one tag)
        MacAddress mac{};        // the child's, which may be its own
        bool operator==(const Vlan&) const = default;
    };
    int if_index = 0;
    MacAddress mac{};
    // The kernel also wants frames to other hosts: for a bridge, a macvlan (VRRP), a listening process.
    bool promiscuous = false;
    std::vector<Vlan> vlans = {};
    bool operator==(const OwnDevice&) const = default;
};

struct NextHopTable {
    std::vector<NextHop> by_upstream;  // index: Upstream::id
    std::vector<IpAddress>
        service_addresses;  // sorted: the addresses that we answer on (destinations of queries)
    std::vector<std::uint16_t> service_ports;  // host order; usually just 53
    std::vector<IpAddress> own_addresses;  // sorted: every address of this host (bad as a source)
    // Sorted: the last address of each IPv4 network of this host, its directed broadcast (bad as a source).
    std::vector<IpAddress> broadcast_addresses = {};
    // The ports' devices that the kernel knows. On all others every MAC address and every VLAN is ours.
    std::vector<OwnDevice> devices;
    bool operator==(const NextHopTable&) const = default;
};

}  // namespace steer
