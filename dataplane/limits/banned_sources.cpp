#include "dataplane/limits/banned_sources.h"

#include <algorithm>
#include <random>

#include "matchers/fold_product.h"

namespace steer {
namespace {

constexpr auto kOrder = std::memory_order_relaxed;

std::uint64_t random_secret() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}

}  // namespace

BannedSources::BannedSources()
    : secret_(random_secret()), places_(std::make_unique<Set[]>(kSets)) {}

std::uint64_t BannedSources::hash_of(const matchers::Prefix& prefix) const noexcept {
    using matchers::fold_product;
    const std::uint64_t high = fold_product(prefix.address.high() ^ secret_, ~secret_);
    const std::uint64_t both = fold_product(high ^ prefix.length, prefix.address.low() ^ secret_);
    // One product of networks that follow each other is as even as its secret's lowest bits.
    constexpr std::uint64_t kOdd = 0x9e37'79b9'7f4a'7c15;
    return fold_product(both ^ secret_, kOdd) | 1;
}

bool BannedSources::contains(const matchers::Prefix& prefix) const noexcept {
    const std::uint64_t hash = hash_of(prefix);
    return std::ranges::any_of(places_[(hash >> 8) % kSets].hashes,
                               [&](const auto& place) { return place.load(kOrder) == hash; });
}

void BannedSources::set(std::span<const matchers::Prefix> prefixes) noexcept {
    for (std::size_t i = 0; i < kSets; ++i) {
        for (auto& place : places_[i].hashes)
            place.store(0, kOrder);
    }
    for (const matchers::Prefix& prefix : prefixes) {
        const std::uint64_t hash = hash_of(prefix);
        for (auto& place : places_[(hash >> 8) % kSets].hashes) {
            if (place.load(kOrder) != 0) continue;
            place.store(hash, kOrder);
            break;
        }
    }
    count_.store(static_cast<std::uint32_t>(prefixes.size()), kOrder);
}

}  // namespace steer
