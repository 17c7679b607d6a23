// The present question: the client's question after the changes of wrapping executors (rewrites.h).
// Caches, tests of names and upstreams use it. The reply answers the client's own question, in
// QueryContext::query.
#pragma once

#include "dataplane/dns/query.h"
#include "dataplane/policy/rewrites.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

struct Snapshot;

// Changes `q` from the question of `client` to the one after the first `level` rewrites: its name,
// the subnet behind the name, and question_end. Cost: a copy of the name.
void rewrite(const Snapshot& snapshot, const Rewrites& rewrites, unsigned level,
             const IpAddress& client, dns::Query& q) noexcept;

}  // namespace steer
