// Executes control's orders to drop entries. Control finds the entries on its own thread (walk.h); the cache writer drops a
// few per turn.
#include <algorithm>

#include "dataplane/cache/cache_shard.h"

namespace steer::cache {
namespace {

constexpr std::uint32_t kDroppedInATurn = 32;

}  // namespace

void Cache::ask_to_drop(unsigned shard, std::span<const SlotId> entries) noexcept {
    CacheShard::Orders& orders = shards_[shard]->orders;
    const std::size_t n = std::min(entries.size(), kMaxOrders);
    std::copy_n(entries.begin(), n, orders.slots.begin());
    orders.pending.store(static_cast<std::uint32_t>(n), std::memory_order_release);
}

bool Cache::orders_pending(unsigned shard) const noexcept {
    return shards_[shard]->orders.pending.load(std::memory_order_acquire) != 0;
}

bool Cache::orders_pending() const noexcept {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        if (orders_pending(shard)) return true;
    }
    return false;
}

void Cache::refuse_born_until(std::uint64_t born_ms, std::uint64_t until_ms) noexcept {
    flushed_born_ms_.store(static_cast<std::int64_t>(born_ms), std::memory_order_relaxed);
    flushed_until_ms_.store(until_ms, std::memory_order_relaxed);
}

// True: more orders are pending.
bool CacheShard::carry_out_orders(Counters& counters) noexcept {
    const std::uint32_t n = orders.pending.load(std::memory_order_acquire);
    if (n == 0) return false;
    const std::uint32_t end = std::min(orders.done + kDroppedInATurn, n);
    for (; orders.done < end; ++orders.done) {
        const SlotId id = orders.slots[orders.done];
        if (!arena.is_live(id)) continue;  // evicted or replaced since
        instances[arena.entry(id)->instance].flushed.add();
        counters.add(Stat::cache_flushed);
        drop(id);
    }
    if (end < n) return true;
    orders.done = 0;
    orders.pending.store(0, std::memory_order_release);
    return false;
}

}  // namespace steer::cache
