#include "dataplane/lookup.h"

#include <rte_prefetch.h>

#include "dataplane/policy/executor.h"
#include "dataplane/recall.h"

namespace steer {

void lookup(Burst& burst, const Snapshot& snapshot, const cache::Cache* cache,
            const cache::KeyHasher& hasher, QueryMemo& memo, Now now) noexcept {
    if (cache == nullptr || snapshot.first_cache < 0 || burst.live_count == 0) return;
    const CacheInstance& instance = snapshot.caches[static_cast<std::size_t>(snapshot.first_cache)];
    std::array<cache::Key, kBurst> keys;
    std::array<cache::KeyFacts, kBurst> facts;
    std::array<const cache::Entry*, kBurst> found;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        facts[i] = Executor::facts_of(burst.packets[burst.live[i]].query, instance);
    }
    hasher.bulk(facts.data(), burst.live_count, keys.data());
    std::array<std::uint64_t, kBurst> epochs;
    for (unsigned i = 0; burst.recalled && i < burst.live_count; ++i)
        epochs[i] = cache->epoch(cache::Cache::share_of(keys[i]));
    cache->lookup(keys.data(), facts.data(), burst.live_count, now.s(), found.data());
    for (unsigned i = 0; i < burst.live_count; ++i) {
        Packet& p = burst.packets[burst.live[i]];
        p.found = found[i];
        if (found[i] == nullptr) continue;
        rte_prefetch0(&found[i]->answer());
        if (burst.recalled) remember(p, snapshot, keys[i], epochs[i], memo);
    }
    burst.looked_up = true;
}

}  // namespace steer
