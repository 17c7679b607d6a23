// The DNS servers that this host got from its network (DHCP, router advertisements, PPP), from the files of DHCP
// clients: the upstreams of a `forward` without upstreams.
//
// Files are read in the order of where_host_servers_stand(); the first that names a server other than this machine is
// used. (If resolv.conf points to us, another file has the network's servers.) Loopback addresses are skipped
// (a stub there asks us again, or the same servers), and so are link-local ones without an interface. With an interface
// (from router advertisements: fe80::1%eth0) they are asked by kernel sockets bound to it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer {

// The files to read, in this order; some may not exist.
std::vector<std::string> where_host_servers_stand(const std::string& root = "/");

// Gives each `forward` without own upstreams the servers in its files. Never uses `own`. Warnings: forwards
// without any server.
std::vector<Error> fill_host_servers(config::Settings& settings, std::span<const IpAddress> own);

// The files to watch; empty if no `forward` needs them.
std::vector<std::string> host_server_files(const config::Settings& settings);
// Whether the files still have the servers in these settings.
bool host_servers_are_as(const config::Settings& settings, std::span<const IpAddress> own);

}  // namespace steer
