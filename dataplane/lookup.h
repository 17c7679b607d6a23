// Looks up the whole burst in the cache that the program reaches first: one bulk lookup,
// speculative, before any program runs.
//
// In:   parsed packets.
// Out:  `found` of each (good until the worker's next quiescent state); burst.looked_up. The bodies
//       are prefetched.
// Cost: one SipHash a name and one bulk lookup a burst. Nothing if the program has no first cache.
//       What is found goes into the memo, if recall() asked it.
// Ends: none.
#pragma once

#include "dataplane/burst.h"
#include "dataplane/clock.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/query_memo.h"

namespace steer {

void lookup(Burst& burst, const Snapshot& snapshot, const cache::Cache* cache,
            const cache::KeyHasher& hasher, QueryMemo& memo, Now now) noexcept;

}  // namespace steer
