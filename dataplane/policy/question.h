// The question in force: what the client asked, as the wrapping executors around have changed it (rewrites.h). Caches, tests
// on names and upstreams are asked by it; the client's own, in QueryContext::query, is what is answered.
#pragma once

#include "dataplane/dns/query.h"
#include "dataplane/policy/rewrites.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

struct Snapshot;

// Makes `q`, the question of `client`, what it is under the first `level` rewrites: its name, the subnet behind it, and
// where a question with that name would end. Cost: a copy of the name.
void rewrite(const Snapshot& snapshot, const Rewrites& rewrites, unsigned level,
             const IpAddress& client, dns::Query& q) noexcept;

}  // namespace steer
