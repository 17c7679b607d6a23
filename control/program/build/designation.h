// The records of `_dns.resolver.arpa` (RFC 9462, RFC 9461): where, and under which name, this resolver answers over
// TLS and HTTPS. Clients that have only our address find DoT and DoH by it.
//
// Pure. With it nothing under resolver.arpa is forwarded (RFC 9462 6.4): an answer would describe another resolver.
#pragma once

#include <span>
#include <vector>

#include "control/config/settings.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::build {

// One SVCB record per server with a certificate, DoT first; none without `policy.designated_name`. Servers on all
// addresses get the reachable ones of `own` as hints. Error: there is a name, but no such server.
Result<std::vector<config::KnownRecord>> designated_resolvers(const config::Settings& settings,
                                                              std::span<const IpAddress> own);

}  // namespace steer::build
