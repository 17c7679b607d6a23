#include "dataplane/stages/lookup.h"

#include <rte_prefetch.h>

#include "dataplane/policy/key_facts.h"
#include "dataplane/stages/packet_cache_stage.h"

namespace steer {

void lookup(Burst& burst, const Snapshot& snapshot, const cache::Cache* cache,
            const cache::KeyHasher& hasher, Executor& executor, const Resolver& resolver,
            PacketCache& packet_cache, Now now) noexcept {
    const int likely = cache != nullptr ? snapshot.likely_cache : -1;
    std::array<std::uint8_t, kBurst> places;  // of the packets that a cache is asked for
    std::array<cache::KeyFacts, kBurst> facts;
    unsigned n = 0;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        Packet& p = burst.packets[burst.live[i]];
        p.found = nullptr;
        p.plan = likely < 0 ? executor.plan(snapshot, p.query, p.client.entry) : nullptr;
        const int place = p.plan != nullptr ? p.plan->cache : likely;
        if (place < 0 || cache == nullptr) continue;
        facts[n] = key_facts(p.query, snapshot.caches[static_cast<std::size_t>(place)]);
        places[n++] = burst.live[i];
    }
    if (n == 0) return;
    std::array<cache::Key, kBurst> keys;
    std::array<const cache::Entry*, kBurst> found;
    hasher.bulk(facts.data(), n, keys.data());
    std::array<std::uint64_t, kBurst> epochs;
    for (unsigned i = 0; burst.packet_cache_asked && i < n; ++i)
        epochs[i] = cache->epoch(cache::Cache::share_of(keys[i]));
    cache->lookup(keys.data(), facts.data(), n, now.s(), found.data());
    for (unsigned i = 0; i < n; ++i) {
        Packet& p = burst.packets[places[i]];
        const cache::Entry* const e = p.found = found[i];
        if (e != nullptr) rte_prefetch0(&e->answer());
        if (likely >= 0 && e != nullptr)
            p.plan =
                executor.plan(snapshot, e->tags.load(std::memory_order_relaxed), p.client.entry);
        if (p.plan == nullptr) p.plan = executor.plan(snapshot, p.query, p.client.entry);
        if (e != nullptr && burst.packet_cache_asked)
            remember(p, snapshot, resolver, keys[i], epochs[i], packet_cache);
    }
    burst.has_lookup = true;
}

}  // namespace steer
