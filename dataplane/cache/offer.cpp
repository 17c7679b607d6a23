// Executes control's offers: answers of a dump. A cache writer takes a few per turn, so that a
// restore does not delay its worker's queries.
#include <algorithm>
#include <array>
#include <numeric>

#include "dataplane/cache/cache_shard.h"
#include "dataplane/cache/insert.h"

namespace steer::cache {
namespace {

constexpr unsigned kTakenInATurn = 16;
// Seconds by which equal births may differ: ages are whole seconds, read from two clocks.
constexpr std::int32_t kSameBirth = 1;

}  // namespace

// Each shard gets its own offers, in their order.
void Cache::offer(std::span<const Offer> offers) noexcept {
    offers = offers.first(std::min(offers.size(), kMaxOrders));
    std::array<std::uint32_t, kMaxShards + 1> begins{};
    for (const Offer& offer : offers) {
        if (is_well_formed(offer.message)) ++begins[shard_of(head_of(offer.message)) + 1];
    }
    std::partial_sum(begins.begin(), begins.end(), begins.begin());
    std::array<std::uint32_t, kMaxShards + 1> next = begins;
    for (const Offer& offer : offers) {
        if (is_well_formed(offer.message))
            offers_[next[shard_of(head_of(offer.message))]++] = offer;
    }
    for (unsigned shard = 0; shard < shards(); ++shard) {
        CacheShard::Orders& orders = shards_[shard]->orders;
        orders.known = 0;
        orders.offers = offers_.data() + begins[shard];
        orders.offered.store(begins[shard + 1] - begins[shard], std::memory_order_release);
    }
}

bool Cache::offers_pending(unsigned shard) const noexcept {
    return shards_[shard]->orders.offered.load(std::memory_order_acquire) != 0;
}

bool Cache::offers_pending() const noexcept {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        if (offers_pending(shard)) return true;
    }
    return false;
}

unsigned Cache::offers_known() const noexcept {
    unsigned known = 0;
    for (const auto& shard : shards_)
        known += shard->orders.known;
    return known;
}

// True: more offers are pending.
bool CacheShard::take_offers(Now now, Counters& counters) noexcept {
    const std::uint32_t n = orders.offered.load(std::memory_order_acquire);
    if (n == 0) return false;
    const std::span<const Cache::Offer> turn{orders.offers + orders.offers_done,
                                             std::min(kTakenInATurn, n - orders.offers_done)};
    for (const Cache::Offer& offer : turn)
        table.prefetch(TableKey(head_of(offer.message).key.low));
    for (const Cache::Offer& offer : turn) {
        const Payload payload = payload_of(offer.message, offer.born);
        const Entry* const held = find(payload);
        if (held != nullptr && held->usable_until_s > now.s() &&
            offer.born.since(held->born) <= kSameBirth) {
            ++orders.known;
        } else {
            insert(payload, now, counters);
        }
    }
    orders.offers_done += static_cast<std::uint32_t>(turn.size());
    if (orders.offers_done < n) return true;
    orders.offers_done = 0;
    orders.offered.store(0, std::memory_order_release);
    return false;
}

}  // namespace steer::cache
