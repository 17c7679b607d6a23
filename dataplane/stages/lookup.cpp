#include "dataplane/stages/lookup.h"

#include <rte_prefetch.h>

#include "dataplane/policy/key_facts.h"
#include "dataplane/stages/packet_cache_stage.h"

namespace steer {

namespace {

static_assert(kBurst <= matchers::kMaxNames);

// The packets whose plan depends on a name that was not matched yet.
class Unplanned {
  public:
    void add(Packet& p) {
        packets_[count_] = &p;
        planned_[count_++] = {&p.query, p.client.entry, nullptr};
    }
    void plan(const Snapshot& snapshot, Executor& executor) {
        if (count_ == 0) return;
        executor.plan_by_names(snapshot, {planned_.data(), count_});
        for (unsigned i = 0; i < count_; ++i)
            packets_[i]->plan = planned_[i].plan;
    }

  private:
    std::array<Packet*, kBurst> packets_;
    std::array<Executor::Planned, kBurst> planned_;
    unsigned count_ = 0;
};

}  // namespace

void lookup(Burst& burst, const Snapshot& snapshot, const cache::Cache* cache,
            const cache::KeyHasher& hasher, Executor& executor, const Resolver& resolver,
            PacketCache& packet_cache, Now now) noexcept {
    const int likely = cache != nullptr ? snapshot.likely_cache : -1;
    std::array<std::uint8_t, kBurst> places;  // of the packets that a cache is asked for
    std::array<cache::KeyFacts, kBurst> facts;
    const bool by_name = snapshot.plans_by_name;
    if (by_name && likely < 0) {
        Unplanned unplanned;
        for (unsigned i = 0; i < burst.live_count; ++i)
            unplanned.add(burst.packets[burst.live[i]]);
        unplanned.plan(snapshot, executor);
    }
    unsigned n = 0;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        Packet& p = burst.packets[burst.live[i]];
        p.found = nullptr;
        if (!by_name)
            p.plan = executor.plan(snapshot, p.query, p.client.entry);
        else if (likely >= 0)
            p.plan = nullptr;
        const int place = p.plan != nullptr ? p.plan->cache : likely;
        if (place < 0 || cache == nullptr) continue;
        facts[n] = key_facts(p.query, snapshot.caches[static_cast<std::size_t>(place)]);
        places[n++] = burst.live[i];
    }
    if (n == 0) return;
    std::array<cache::Key, kBurst> keys;
    std::array<const cache::Entry*, kBurst> found;
    hasher.bulk(facts.data(), n, keys.data());
    std::array<std::uint16_t, kBurst> shares;
    std::array<std::uint64_t, kBurst> epochs;
    for (unsigned i = 0; burst.packet_cache_asked && i < n; ++i) {
        shares[i] = cache->share_of(keys[i], facts[i].instance);
        epochs[i] = cache->epoch(shares[i]);
    }
    cache->lookup(keys.data(), facts.data(), n, now.s(), found.data());
    Unplanned unplanned;
    for (unsigned i = 0; i < n; ++i) {
        Packet& p = burst.packets[places[i]];
        const cache::Entry* const e = p.found = found[i];
        if (e != nullptr) rte_prefetch0(&e->answer());
        if (likely >= 0 && e != nullptr)
            p.plan =
                executor.plan(snapshot, e->tags.load(std::memory_order_relaxed), p.client.entry);
        if (by_name && p.plan == nullptr) unplanned.add(p);
        if (e != nullptr && burst.packet_cache_asked)
            remember(p, snapshot, resolver, shares[i], epochs[i], packet_cache);
    }
    unplanned.plan(snapshot, executor);
    burst.has_lookup = true;
}

}  // namespace steer
