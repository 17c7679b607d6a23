// The words of a cache entry that executors write, on any worker: its tags, who refreshes it, and how often it was hit.
// Each is an atomic of its own and means something alone, hence relaxed (docs/explanation/ownership.md).
#pragma once

#include <cstdint>

#include "dataplane/base/clock.h"
#include "dataplane/cache/cache.h"

namespace steer {

inline cache::Entry& writable(const cache::Entry& e) {
    return const_cast<cache::Entry&>(e);
}

// Of its name, as some generation's sets had it.
struct EntryTags {
    std::uint32_t generation, tag_set;
};
// As an entry has them: generation << 32 | tag-set id.
inline std::uint64_t tag_word(std::uint32_t generation, std::uint32_t tag_set) {
    return std::uint64_t{generation} << 32 | tag_set;
}
inline EntryTags tags_in(const cache::Entry& e) {
    const std::uint64_t word = e.tags.load(std::memory_order_relaxed);
    return {static_cast<std::uint32_t>(word >> 32), static_cast<std::uint32_t>(word)};
}
inline void remember_tags(const cache::Entry& e, std::uint32_t generation, std::uint32_t tag_set) {
    writable(e).tags.store(tag_word(generation, tag_set), std::memory_order_relaxed);
}

// True for one of all who ask: it is theirs to refresh the entry, and nobody's else for `again_s`.
inline bool begin_refresh(const cache::Entry& e, std::uint32_t again_s, Now now) {
    auto& word = writable(e).refresh_s;
    std::uint32_t not_before_s = word.load(std::memory_order_relaxed);
    return not_before_s <= now.s() &&
           word.compare_exchange_strong(not_before_s, now.s() + again_s, std::memory_order_relaxed);
}

}  // namespace steer
