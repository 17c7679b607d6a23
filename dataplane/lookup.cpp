#include "dataplane/lookup.h"

#include <rte_prefetch.h>

#include "dataplane/recall.h"

namespace steer {

void lookup(Burst& burst, const Snapshot& snapshot, const cache::Cache* cache,
            const cache::KeyHasher& hasher, Executor& executor, QueryMemo& memo, Now now) noexcept {
    std::array<std::uint8_t, kBurst> places;  // of the packets that a cache is asked for
    std::array<cache::KeyFacts, kBurst> facts;
    unsigned n = 0;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        Packet& p = burst.packets[burst.live[i]];
        p.plan = executor.plan(snapshot, p.query);
        p.found = nullptr;
        if (p.plan == nullptr || p.plan->cache < 0) continue;
        const auto place = static_cast<std::size_t>(p.plan->cache);
        facts[n] = Executor::facts_of(p.query, snapshot.caches[place]);
        places[n++] = burst.live[i];
    }
    if (cache == nullptr || n == 0) return;
    std::array<cache::Key, kBurst> keys;
    std::array<const cache::Entry*, kBurst> found;
    hasher.bulk(facts.data(), n, keys.data());
    std::array<std::uint64_t, kBurst> epochs;
    for (unsigned i = 0; burst.recalled && i < n; ++i)
        epochs[i] = cache->epoch(cache::Cache::share_of(keys[i]));
    cache->lookup(keys.data(), facts.data(), n, now.s(), found.data());
    for (unsigned i = 0; i < n; ++i) {
        Packet& p = burst.packets[places[i]];
        p.found = found[i];
        if (found[i] == nullptr) continue;
        rte_prefetch0(&found[i]->answer());
        if (burst.recalled) remember(p, snapshot, keys[i], epochs[i], memo);
    }
    burst.looked_up = true;
}

}  // namespace steer
