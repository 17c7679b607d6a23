// The question in force: the client's question as wrapping executors changed it (rewrites.h). Caches, tests
// on names and upstreams use it. The reply answers the client's own, in QueryContext::query.
#pragma once

#include "dataplane/dns/query.h"
#include "dataplane/policy/rewrites.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

struct Snapshot;

// Sets `q`, the question of `client`, to the one under the first `level` rewrites: its name, the subnet behind it, and
// the end of a question with that name. Cost: a copy of the name.
void rewrite(const Snapshot& snapshot, const Rewrites& rewrites, unsigned level,
             const IpAddress& client, dns::Query& q) noexcept;

}  // namespace steer
