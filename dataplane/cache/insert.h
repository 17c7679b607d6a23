// The message from a worker to the cache writer that puts an answer into the cache: one buffer, built here,
// read by Cache::insert.
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

// The program's additions to the answer.
struct InsertTerms {
    std::uint32_t life_s = 0;   // of cacheable_for_s()
    std::uint32_t stale_s = 0;  // of stale_for_s()
    std::uint32_t refresh_check_after_s = kNoRefreshCheck;
    std::span<const ListId> lists = {};    // claimed inside the cache's sequence
    std::uint32_t ttl_cap_s = UINT32_MAX;  // cap of those lists
    std::uint32_t tag_generation = 0;      // 0: the name was not matched
    std::uint32_t tag_set = 0;
};

// A buffer with one reference for MessageKind::insert, with the serial and birth of `answer`, whose payload is
// a dns::Answer. nullptr: not cacheable (no life, more than kEntryLists lists) or no free buffer.
Buffer* build_insert(BufferPools& pools, const Key& key, const KeyFacts& facts,
                     const Buffer& answer, const InsertTerms& terms) noexcept;

}  // namespace steer::cache
