// The kernel's interfaces and their addresses at one time.
//
// They are read completely on every change (a host has few), so no state can become outdated. Each
// reading is two netlink dumps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/host/kernel/netlink.h"
#include "dataplane/port/port.h"
#include "matchers/prefix/ip_address.h"

namespace steer::kernel {

struct Link {
    int if_index = 0;
    std::string name;
    bool up = false;              // administratively and by carrier
    bool asks_neighbours = true;  // Ethernet with ARP and ND
    MacAddress mac{};
    bool promiscuous =
        false;  // accepts frames to other hosts: bridge port, macvlan's parent, packet capture
    int vlan_parent = 0;  // parent interface of a VLAN; 0: not a VLAN
    std::uint16_t vlan_id = 0;
    bool is_vrf = false;
    int master = 0;  // its controller: a VRF or a bridge; 0: none
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
    std::vector<Address> addresses;  // without tentative and duplicate ones

    [[nodiscard]] const Link* find(int if_index) const;
};

// Parts that cannot be read are empty.
Interfaces read_interfaces(Netlink& netlink);

}  // namespace steer::kernel
