#include "dataplane/lookup.h"

#include <rte_prefetch.h>

#include "dataplane/policy/executor.h"

namespace steer {

void lookup(Burst& burst, const Snapshot& snapshot, const cache::Cache* cache,
            const cache::KeyHasher& hasher, Now now) noexcept {
    if (cache == nullptr || snapshot.first_cache < 0 || burst.live_count == 0) return;
    const CacheInstance& instance = snapshot.caches[static_cast<std::size_t>(snapshot.first_cache)];
    std::array<cache::Key, kBurst> keys;
    std::array<cache::KeyFacts, kBurst> facts;
    std::array<const cache::Entry*, kBurst> found;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        facts[i] = Executor::facts_of(burst.packets[burst.live[i]].query, instance);
    }
    hasher.bulk(facts.data(), burst.live_count, keys.data());
    cache->lookup(keys.data(), facts.data(), burst.live_count, now.s(), found.data());
    for (unsigned i = 0; i < burst.live_count; ++i) {
        burst.packets[burst.live[i]].found = found[i];
        if (found[i] != nullptr) rte_prefetch0(&found[i]->answer());
    }
    burst.looked_up = true;
}

}  // namespace steer
