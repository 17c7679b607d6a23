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

// Builds a MessageKind::insert: a buffer with one reference, and with the serial and birth of
// `answer`, whose payload is a dns::Answer. Returns nullptr if the answer is not cacheable (no
// life, more than kEntryLists lists) or no buffer is free.
Buffer* build_insert(BufferPools& pools, const Key& key, const KeyFacts& facts,
                     const Buffer& answer, const InsertTerms& terms) noexcept;

}  // namespace steer::cache
