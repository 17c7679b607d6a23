// Answers the queries whose bytes came of late and whose answer the cache still has (query_memo.h).
//
// In:   packets of the burst with their DNS message.
// Out:  `memo_hash` of those that stay, if burst.recalled; what was answered has left the burst.
// Cost: one multiplication for 16 bytes of a message, one line compared. Nothing if no hit in the first cache is
//       plain (plan.h), in a burst that is watched, or while the memo rests.
// Ends: as Resolver::answer_hit().
#pragma once

#include "dataplane/burst.h"
#include "dataplane/clock.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/query_memo.h"
#include "dataplane/resolver.h"

namespace steer {

void recall(Burst& burst, const Snapshot& snapshot, QueryMemo& memo, const cache::Cache* cache,
            Resolver& resolver, Counters& counters, Now now) noexcept;

// Writes down what lookup() found for a packet that recall() did not know; `epoch` is that of the key's share, read
// before.
void remember(const Packet& packet, const Snapshot& snapshot, const cache::Key& key,
              std::uint64_t epoch, QueryMemo& memo) noexcept;

}  // namespace steer
