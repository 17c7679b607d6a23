// Answers the queries whose bytes came of late and whose answer the cache still has (packet_cache.h).
//
// In:   packets of the burst with their DNS message.
// Out:  `packet_cache_hash` of those that stay, if burst.packet_cache_asked; what was answered has left the burst.
// Cost: one multiplication for 16 bytes of a message, one line compared. Nothing if no hit in the first cache is
//       plain (plan.h), in a burst that is watched, or while the packet cache rests.
// Ends: as Resolver::answer_hit().
#pragma once

#include "dataplane/base/clock.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/packet_cache.h"
#include "dataplane/stages/resolver.h"

namespace steer {

void answer_from_packet_cache(Burst& burst, const Snapshot& snapshot, PacketCache& packet_cache,
                              const cache::Cache* cache, Resolver& resolver, Counters& counters,
                              Now now) noexcept;

// Writes down what lookup() found for a packet that answer_from_packet_cache() did not know; `epoch` is that of the key's share, read
// before.
void remember(const Packet& packet, const Snapshot& snapshot, const cache::Key& key,
              std::uint64_t epoch, PacketCache& packet_cache) noexcept;

}  // namespace steer
