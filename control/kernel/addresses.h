// The kernel's interfaces and their addresses, as they are at one moment.
//
// Read whole on every change (a host has few): there is no state here that could go stale. Each reading is
// two netlink dumps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/kernel/netlink.h"
#include "dataplane/port/port.h"
#include "matchers/prefix/ip_address.h"

namespace steer::kernel {

struct Link {
    int if_index = 0;
    std::string name;
    bool up = false;              // administratively and by carrier
    bool asks_neighbours = true;  // an Ethernet with ARP and ND
    MacAddress mac{};
    bool promiscuous =
        false;  // takes frames to other hosts: a bridge's, a macvlan's parent, somebody listens
    int vlan_parent = 0;  // interface that this is a VLAN of; 0: it is none
    std::uint16_t vlan_id = 0;
    bool is_vrf = false;
    int master = 0;  // the interface that this is enslaved to: a VRF, a bridge; 0: none
    bool operator==(const Link&) const = default;
};

struct Address {
    int if_index = 0;
    IpAddress ip;
    std::uint8_t length = 128;  // of its network, in the 128-bit form: an IPv4 /24 is 120
    bool operator==(const Address&) const = default;
};

struct Interfaces {
    std::vector<Link> links;
    std::vector<Address> addresses;  // without those that are tentative or found to be duplicates

    [[nodiscard]] const Link* find(int if_index) const;
};

// What could not be read is empty.
Interfaces read_interfaces(Netlink& netlink);

}  // namespace steer::kernel
