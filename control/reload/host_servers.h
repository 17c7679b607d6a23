// The DNS servers that this host was told by its network (DHCP, router advertisements, PPP), as those who were told
// write them down: what a `forward` without upstreams asks.
//
// Files are read in the order of where_host_servers_stand(), and the first that names a server other than ourselves is
// it: a host whose resolv.conf points to us has another file with what its network says. Loopback addresses are skipped
// (a stub there asks us again, or the same servers), and so are link-local ones without their interface. With it (of
// router advertisements: fe80::1%eth0) they are asked by kernel sockets that are bound to it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer {

// Files that are looked at, in this order; not all of them are there.
std::vector<std::string> where_host_servers_stand(const std::string& root = "/");

// Gives each `forward` without upstreams of its own what its files say now. `own`: never these. Warnings: of those for
// which no server was found.
std::vector<Error> fill_host_servers(config::Settings& settings, std::span<const IpAddress> own);

// Files whose change may change them; none if no `forward` asks for it.
std::vector<std::string> host_server_files(const config::Settings& settings);
// Whether files say now what is in these settings.
bool host_servers_are_as(const config::Settings& settings, std::span<const IpAddress> own);

}  // namespace steer
