// DNS servers as those write them down who were told of them: resolv.conf(5), leases. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "matchers/prefix/ip_address.h"

namespace steer::fetch {

// The servers in a text: `nameserver` lines of resolv.conf(5), all of them; of leases the last `option
// domain-name-servers` (dhclient.leases(5)) or `DNS=` (systemd-networkd). Nothing else is looked at.
std::vector<IpAddress> read_servers(std::string_view text);

}  // namespace steer::fetch
