// The DNS servers that this host got from its network (DHCP, router advertisements, PPP), from
// files of DHCP clients. They are the upstreams of a `forward` without upstreams.
//
// Files are read in the order of where_host_servers_stand(). The first one that names a server
// other than this machine is used. (If resolv.conf points to us, another file has the network's
// servers.) Loopback addresses are skipped, because a stub there would query us or the same
// servers. Link-local addresses without an interface are skipped too. Those with an interface (from
// router advertisements: fe80::1%eth0) are queried by kernel sockets bound to it.
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

// Sets the upstreams of each `forward` without upstreams to the servers in its files. Never uses
// `own`. Warnings: forwards without any server.
std::vector<Error> fill_host_servers(config::Settings& settings, std::span<const IpAddress> own);

// The files to watch; empty if no `forward` needs them.
std::vector<std::string> host_server_files(const config::Settings& settings);
// Whether the files still have the servers of these settings.
bool host_servers_are_as(const config::Settings& settings, std::span<const IpAddress> own);

}  // namespace steer
