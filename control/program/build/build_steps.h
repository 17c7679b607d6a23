// The steps of build() (build.h), each in a source file with the same name.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings.h"
#include "control/program/build/build.h"
#include "control/program/build/registry.h"
#include "control/streams/upstream/upstream_target.h"
#include "dataplane/policy/frontends.h"
#include "dataplane/policy/snapshot.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::build {

// Derives the addresses to listen on and the frontends of queries from the server plugins
// (dataplane/policy/frontends.h).

// Without a server: UDP and TCP 53 everywhere, with frontend 0.
std::vector<Listener> listen(const config::Settings& settings, Registry& registry,
                             Frontends& frontends, std::vector<Error>& errors);

// The place and text of each instruction of a program, for explanations.

// A line of a configuration without surrounding blanks and secrets, cut at 160 bytes.
std::string shown_line(std::string_view line);

// Completes Snapshot::source with the texts of the files. The compiler has set its places before.
void write_source(const config::Settings& settings, Snapshot& snapshot);

// The clients that each router of a list serves (`routers.NAME.serves`).
struct ServedRange {
    IpAddress first, last;  // both inclusive
    std::vector<config::RouterIndex>
        routers;  // some of the list's, in its order; at least one and not all
};

// Disjoint and sorted. All routers of the list serve the clients outside. They also serve
// `trusted_forwarders`, so that no row is missed.
std::vector<ServedRange> served_ranges(const config::Settings& settings,
                                       const std::vector<config::RouterIndex>& routers);

// The upstreams that readiness needs, and their probes: from settings to groups and ids of a
// snapshot.
using GroupsOfForwards = std::map<config::PluginIndex, std::uint32_t>;

std::vector<UpstreamNeed> upstream_needs(const config::Settings& settings,
                                         const GroupsOfForwards& groups);

// By Upstream::id. If two forwards have the same upstream, the shorter `every` is used.
std::map<std::uint16_t, UpstreamProbe> upstream_probes(const config::Settings& settings,
                                                       const GroupsOfForwards& groups,
                                                       const Snapshot& snapshot);

// An upstream's channel in `streams` and its identity, from its settings.

// The identity of an upstream as text, independent of its name: the registry's key.
std::string upstream_key(const config::UpstreamSettings& upstream);

// For upstreams that need more than UDP to their address (!UpstreamSettings::is_plain()).
std::shared_ptr<const stream::UpstreamTarget> target_of(const config::UpstreamSettings& upstream,
                                                        std::uint16_t id);

// The records of `_dns.resolver.arpa` (RFC 9462, RFC 9461): the address and name of this resolver
// for TLS and HTTPS. Clients that have only our address find DoT and DoH with them.
//
// Pure. With this name, queries below resolver.arpa are not forwarded (RFC 9462 6.4), because an
// answer would describe another resolver.

// One SVCB record per server with a certificate, DoT first; none without `policy.designated_name`.
// Servers on all addresses have the reachable ones of `own` as hints. Error: there is a name, but
// no such server.
Result<std::vector<config::KnownRecord>> designated_resolvers(const config::Settings& settings,
                                                              std::span<const IpAddress> own);

}  // namespace steer::build
