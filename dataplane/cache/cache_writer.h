// Puts answers into the cache. A worker sends an answer to the cache writer of the key's shard: it
// inserts it at once, or sends a message to the worker that writes the shard.
//
// If the ring is full, the answer is dropped and counted (Stat::cache_insert_ring_full). The next
// answer for that name tries again.
#pragma once

#include <span>

#include "dataplane/base/buffer.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/message.h"
#include "dataplane/base/ring.h"
#include "dataplane/cache/cache.h"
#include "dataplane/cache/insert.h"

namespace steer {

class CacheWriter {
  public:
    // `cache` may be nullptr: then no answer is cached. `to_worker`: rings by worker.
    CacheWriter(unsigned worker, cache::Cache* cache, std::span<Ring<Message>* const> to_worker,
                Counters& counters);

    // Puts the answer, a dns::Answer in a buffer, under this key. Returns false if it is not
    // cacheable, or no buffer is free for the message.
    bool submit(BufferPools& buffers, const cache::Key& key, const cache::KeyFacts& facts,
                const Buffer& answer, const cache::InsertTerms& terms, Now now) noexcept;
    // Handles a MessageKind::insert of another worker, for the shard that this worker writes; takes
    // ownership of the buffer.
    void insert(Buffer* insert, Now now) noexcept;
    // Once per turn. Returns true if there is more to do at once.
    bool turn(Now now) noexcept;

  private:
    static constexpr unsigned kNoShard = UINT32_MAX;

    std::uint8_t worker_;
    unsigned shard_ = kNoShard;  // that this worker writes
    cache::Cache* cache_;
    std::span<Ring<Message>* const> to_worker_;
    Counters& counters_;
};

}  // namespace steer
