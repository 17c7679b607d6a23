// Looks up the whole burst in the caches that the program reaches first, with one bulk lookup
// before any program runs.
//
// In:   parsed packets.
// Out:  `plan` of each packet; `found` of each packet with a plan that reaches a cache (valid until
//       the worker's next quiescent state); burst.has_lookup. Prefetches the bodies.
// Cost: one SipHash per name and one bulk lookup per burst. One more SipHash for the plan if the
//       entry has no tag sets or several caches are reached by sets. A new name costs a run of the
//       matcher. No lookup if the program reaches no cache. A found entry is put into the packet
//       cache, if answer_from_packet_cache() searched it.
// Ends: none.
#pragma once

#include "dataplane/base/clock.h"
#include "dataplane/policy/executor.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/packet_cache.h"

namespace steer {

class Resolver;

void lookup(Burst& burst, const Snapshot& snapshot, const cache::Cache* cache,
            const cache::KeyHasher& hasher, Executor& executor, const Resolver& resolver,
            PacketCache& packet_cache, Now now) noexcept;

}  // namespace steer
