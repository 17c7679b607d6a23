// How packets reach upstreams, as workers see it: one immutable table, built by control from the kernel's
// routes and neighbours, published by pointer, freed after a grace period.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/port/port.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

struct NextHop {
    enum class Via : std::uint8_t {
        nothing,  // no route, or the neighbour is not known yet: the query waits for its retry
        kernel,   // the route does not leave through a port: ask by kernel socket
        port,     // frames of our own
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

// The VLANs of a device that are ours: those that it has children for.
struct DeviceVlans {
    int if_index = 0;
    std::vector<std::uint32_t> tags;  // outer id << 16 | inner id (0: one tag)
    bool operator==(const DeviceVlans&) const = default;
};

struct NextHopTable {
    std::vector<NextHop> by_upstream;          // index: Upstream::id
    std::vector<IpAddress> service_addresses;  // sorted: what we answer on (destination of queries)
    std::vector<std::uint16_t> service_ports;  // host order; usually just 53
    std::vector<IpAddress> own_addresses;  // sorted: every address of this host (bad as a source)
    // Of the ports' devices that the kernel knows. Nobody says so of others: there every VLAN is ours.
    std::vector<DeviceVlans> vlans;
    bool operator==(const NextHopTable&) const = default;
};

}  // namespace steer
