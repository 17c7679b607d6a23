// Executes control's offers: answers of a dump. The cache writer takes a few per turn, so that a restore does not delay
// worker 0's queries.
#include <algorithm>
#include <array>

#include "dataplane/cache/cache_impl.h"

namespace steer::cache {
namespace {

constexpr unsigned kTakenInATurn = 16;
// Seconds by which equal births may differ: ages are whole seconds, read from two clocks.
constexpr std::int32_t kSameBirth = 1;

const Insert& head_of(const Cache::Offer& offer) {
    return *reinterpret_cast<const Insert*>(offer.message.data());
}

}  // namespace

void Cache::offer(std::span<const Offer> offers) noexcept {
    Impl::Orders& orders = impl_->orders;
    orders.offers = offers.data();
    orders.offered.store(static_cast<std::uint32_t>(std::min(offers.size(), kMaxOrders)),
                         std::memory_order_release);
}

bool Cache::offers_pending() const noexcept {
    return impl_->orders.offered.load(std::memory_order_acquire) != 0;
}

unsigned Cache::offers_known() const noexcept {
    return impl_->orders.known;
}

// True: more offers are pending.
bool Cache::take_offers(Now now, Counters& counters) noexcept {
    Impl::Orders& orders = impl_->orders;
    const std::uint32_t n = orders.offered.load(std::memory_order_acquire);
    if (n == 0) return false;
    if (orders.offers_done == 0) orders.known = 0;
    const std::span<const Offer> turn{orders.offers + orders.offers_done,
                                      std::min(kTakenInATurn, n - orders.offers_done)};
    std::array<TableKey, kTakenInATurn> keys;
    std::transform(turn.begin(), turn.end(), keys.begin(),
                   [](const Offer& offer) { return head_of(offer).key.low; });
    impl_->warm(keys.data(), static_cast<unsigned>(turn.size()));
    for (const Offer& offer : turn) {
        const Entry* const held = impl_->find(head_of(offer).key);
        if (held != nullptr && held->usable_until_s > now.s() &&
            offer.born.since(held->born) <= kSameBirth) {
            ++orders.known;
        } else {
            insert(offer.message, offer.born, now, counters);
        }
    }
    orders.offers_done += static_cast<std::uint32_t>(turn.size());
    if (orders.offers_done < n) return true;
    orders.offers_done = 0;
    orders.offered.store(0, std::memory_order_release);
    return false;
}

}  // namespace steer::cache
