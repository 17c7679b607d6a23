// The steps of build() (build.h), each in the source of its name.
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

// From server plugins to addresses to listen on, and to frontends of queries (dataplane/policy/frontends.h).

// Without a server: UDP and TCP 53 everywhere, by frontend 0.
std::vector<Listener> listen(const config::Settings& settings, Registry& registry,
                             Frontends& frontends, std::vector<Error>& errors);

// Where and how each instruction of a program is written, for explanations.

// A line of a configuration without blanks around it and without passwords, cut at 160 bytes.
std::string shown_line(std::string_view line);

// Completes Snapshot::source, whose places the compiler has set, from the texts that were read.
void write_source(const config::Settings& settings, Snapshot& snapshot);

// The clients that each of a list's routers serves (`routers.NAME.serves`).
struct ServedRange {
    IpAddress first, last;  // both inclusive
    std::vector<config::RouterIndex>
        routers;  // some of the list's, in its order; neither none nor all
};

// Disjoint and sorted. Clients outside are served by all of the list's routers. `trusted_forwarders` also count as served
// by all, so that no row is missed.
std::vector<ServedRange> served_ranges(const config::Settings& settings,
                                       const std::vector<config::RouterIndex>& routers);

// What readiness asks of upstreams, and what it asks them: from settings to groups and ids of a snapshot.
using GroupsOfForwards = std::map<config::PluginIndex, std::uint32_t>;

std::vector<UpstreamNeed> upstream_needs(const config::Settings& settings,
                                         const GroupsOfForwards& groups);

// By Upstream::id. Of two forwards with the same upstream the one with the shorter `every` counts.
std::map<std::uint16_t, UpstreamProbe> upstream_probes(const config::Settings& settings,
                                                       const GroupsOfForwards& groups,
                                                       const Snapshot& snapshot);

// From an upstream's settings to its channel in `streams` and its identity.

// The identity of an upstream as text, independent of its name: the registry's key.
std::string upstream_key(const config::UpstreamSettings& upstream);

// For upstreams that are not asked at their address over UDP (UpstreamSettings::is_plain()).
std::shared_ptr<const stream::UpstreamTarget> target_of(const config::UpstreamSettings& upstream,
                                                        std::uint16_t id);

// The records of `_dns.resolver.arpa` (RFC 9462, RFC 9461): where, and under which name, this resolver answers over
// TLS and HTTPS. Clients that have only our address find DoT and DoH by it.
//
// Pure. With it nothing under resolver.arpa is forwarded (RFC 9462 6.4): an answer would describe another resolver.

// One SVCB record per server with a certificate, DoT first; none without `policy.designated_name`. Servers on all
// addresses get the reachable ones of `own` as hints. Error: there is a name, but no such server.
Result<std::vector<config::KnownRecord>> designated_resolvers(const config::Settings& settings,
                                                              std::span<const IpAddress> own);

}  // namespace steer::build
