#include "dataplane/limits/banned_sources.h"

#include <algorithm>

namespace steer {
namespace {

constexpr auto kOrder = std::memory_order_relaxed;

std::uint64_t hash_of_prefix(const matchers::Prefix& prefix) noexcept {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(prefix.address.high() ^ 0xa0761d6478bd642f) *
                         (prefix.address.low() ^ 0xe7037ed1a0b428db ^ prefix.length);
    return (static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64)) | 1;
}

}  // namespace

bool BannedSources::contains(const matchers::Prefix& prefix) const noexcept {
    const std::uint64_t hash = hash_of_prefix(prefix);
    return std::ranges::any_of(places_[(hash >> 8) % kSets].hashes,
                               [&](const auto& place) { return place.load(kOrder) == hash; });
}

void BannedSources::set(std::span<const matchers::Prefix> prefixes) noexcept {
    for (std::size_t i = 0; i < kSets; ++i) {
        for (auto& place : places_[i].hashes)
            place.store(0, kOrder);
    }
    for (const matchers::Prefix& prefix : prefixes) {
        const std::uint64_t hash = hash_of_prefix(prefix);
        for (auto& place : places_[(hash >> 8) % kSets].hashes) {
            if (place.load(kOrder) != 0) continue;
            place.store(hash, kOrder);
            break;
        }
    }
    count_.store(static_cast<std::uint32_t>(prefixes.size()), kOrder);
}

}  // namespace steer
