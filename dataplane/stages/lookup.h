// Looks up the whole burst in the caches that the program reaches first: one bulk lookup, before any program runs.
//
// In:   parsed packets.
// Out:  `plan` of each; `found` of each whose plan reaches a cache (good until the worker's next quiescent state);
//       burst.looked_up. The bodies are prefetched.
// Cost: one SipHash a name and one bulk lookup a burst; one more SipHash for the plan of a name whose entry does not tell
//       its sets, or if several caches are reached by sets, and for a new name the matcher. No lookup if the program
//       reaches no cache.
//       What is found goes into the packet cache, if answer_from_packet_cache() asked it.
// Ends: none.
#pragma once

#include "dataplane/base/clock.h"
#include "dataplane/policy/executor.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/packet_cache.h"

namespace steer {

void lookup(Burst& burst, const Snapshot& snapshot, const cache::Cache* cache,
            const cache::KeyHasher& hasher, Executor& executor, PacketCache& packet_cache,
            Now now) noexcept;

}  // namespace steer
