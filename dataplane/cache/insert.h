// The message from a worker to the cache writer that puts an answer into the cache. It is one
// buffer, built here and read by Cache::insert.
//
//   Insert | qname (lower-cased, padded to 8) | dns::Answer
//
// Cost: one buffer and one copy of the answer. No lock, no heap.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/buffer.h"
#include "dataplane/cache/cache.h"

namespace steer::cache {

// What the program decided about the answer.
struct InsertTerms {
    std::uint32_t life_s = 0;   // from cacheable_for_s()
    std::uint32_t stale_s = 0;  // from stale_for_s()
    std::uint32_t refresh_check_after_s = kNoRefreshCheck;
    std::span<const ListId> lists = {};    // lists claimed in the cache's sequence
    std::uint32_t ttl_cap_s = UINT32_MAX;  // cap of those lists
    std::uint32_t tag_generation = 0;      // 0: the name was not matched
    std::uint32_t tag_set = 0;
};

// The head of a MessageKind::insert, which has at least its size.
[[nodiscard]] inline const Insert& head_of(std::span<const std::uint8_t> message) noexcept {
    return *reinterpret_cast<const Insert*>(message.data());
}
// Whether such an answer can be cached: it has a life, and at most kEntryLists lists.
[[nodiscard]] inline bool is_cacheable(const InsertTerms& terms) noexcept {
    return terms.life_s != 0 && terms.lists.size() <= kEntryLists;
}

// The head of the message; the terms must be cacheable.
Insert insert_head(const Key& key, const KeyFacts& facts, std::uint32_t serial,
                   const InsertTerms& terms) noexcept;

// Builds a MessageKind::insert: a buffer with one reference, and with the serial and birth of
// `answer`, whose payload is a dns::Answer. Returns nullptr if the answer is not cacheable, or no
// buffer is free.
Buffer* build_insert(BufferPools& pools, const Key& key, const KeyFacts& facts,
                     const Buffer& answer, const InsertTerms& terms) noexcept;

}  // namespace steer::cache
