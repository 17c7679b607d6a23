// Answers queries with the same bytes as a recent one, except for the case of the name, while the
// cache has the answer (packet_cache.h).
//
// In:   packets of the burst with their DNS message.
// Out:  `packet_cache_hash` of the packets that stay, if burst.packet_cache_asked; answered packets
//       have left the burst.
// Cost: one multiplication per 16 bytes of a message, one line compared; for a name with upper-case
//       letters, a second comparison. None if no hit in the first cache is plain (plan.h), if the
//       burst is watched, or while the packet cache is stopped.
// Ends: as Resolver::answer_hit() or answer_under_limits().
#pragma once

#include "dataplane/base/clock.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/packet_cache.h"
#include "dataplane/stages/resolver.h"

namespace steer {

// Not while queries need cookies (Cookies::are_required()).
void answer_from_packet_cache(Burst& burst, const Snapshot& snapshot, PacketCache& packet_cache,
                              const cache::Cache* cache, Resolver& resolver, Counters& counters,
                              Now now) noexcept;

// What the packet cache would do with an injected query whose answer is a plain hit; for a trace.
TracePacketCache foresee(const Packet& packet, const Snapshot& snapshot,
                         const PacketCache& packet_cache, const cache::Cache& cache) noexcept;

// Stores the result of lookup() for a packet that answer_from_packet_cache() did not find. `epoch`:
// of the key's share, read before the lookup.
void remember(const Packet& packet, const Snapshot& snapshot, const Resolver& resolver,
              std::uint16_t share, std::uint64_t epoch, PacketCache& packet_cache) noexcept;

}  // namespace steer
