// The words of a cache entry that executors write on any worker: its tags, its refresh time, and
// its hits. Each is an independent atomic, so relaxed order is enough
// (docs/explanation/ownership.md).
#pragma once

#include <cstdint>

#include "dataplane/base/clock.h"
#include "dataplane/cache/cache.h"

namespace steer {

inline cache::Entry& writable(const cache::Entry& e) {
    return const_cast<cache::Entry&>(e);
}

// The tag set of the entry's name, in some generation.
struct EntryTags {
    std::uint32_t generation, tag_set;
    bool points_to_ads;  // an ad list of that generation denies a name that the answer points to
};
// In an entry's format: generation << 32 | kPointsToAds (if set) | tag-set id. No tag set has an id
// with kPointsToAds. So such an entry has no plan, and its hits are not plain.
inline constexpr std::uint32_t kPointsToAds = 1U << 31;
inline std::uint64_t tag_word(std::uint32_t generation, std::uint32_t tag_set) {
    return std::uint64_t{generation} << 32 | tag_set;
}
inline EntryTags tags_in(const cache::Entry& e) {
    const std::uint64_t word = e.tags.load(std::memory_order_relaxed);
    const auto low = static_cast<std::uint32_t>(word);
    return {static_cast<std::uint32_t>(word >> 32), low & ~kPointsToAds, (low & kPointsToAds) != 0};
}
// Stores the tags in an entry of this generation.
inline void remember_tags(const cache::Entry& e, std::uint32_t generation, std::uint32_t tag_set) {
    const std::uint32_t points = tags_in(e).points_to_ads ? kPointsToAds : 0;
    writable(e).tags.store(tag_word(generation, points | tag_set), std::memory_order_relaxed);
}

// Returns true to exactly one caller, which must refresh the entry. No other caller gets true for
// `again_s`.
inline bool begin_refresh(const cache::Entry& e, std::uint32_t again_s, Now now) {
    auto& word = writable(e).refresh_s;
    std::uint32_t not_before_s = word.load(std::memory_order_relaxed);
    return not_before_s <= now.s() &&
           word.compare_exchange_strong(not_before_s, now.s() + again_s, std::memory_order_relaxed);
}

}  // namespace steer
