// Reads DNS servers from files of DHCP clients: resolv.conf(5), leases. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "matchers/prefix/ip_address.h"

namespace steer::resolver {

// A server; a link-local address has an interface (RFC 4007 11), by name or number.
struct NamedServer {
    IpAddress address;
    std::string interface;  // empty: none
    bool operator==(const NamedServer&) const = default;
};

// The servers in a text. In resolv.conf(5): all `nameserver` lines. In leases: the last `option
// domain-name-servers` (dhclient.leases(5)) or `DNS=` (systemd-networkd). Ignores everything else.
std::vector<NamedServer> read_servers(std::string_view text);

}  // namespace steer::resolver
