// Puts answers into the cache: every worker sends its answers to the cache writer, worker 0, which is the only
// writer.
//
// Worker 0 inserts an answer at once; other workers send a message. If the ring is full, the answer is dropped
// and counted (Stat::cache_insert_ring_full); the next answer for that name tries again.
#pragma once

#include "dataplane/base/buffer.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/message.h"
#include "dataplane/base/ring.h"
#include "dataplane/cache/cache.h"

namespace steer {

class CacheWriter {
  public:
    // `cache` may be nullptr: no answer is kept. `to_keeper` is nullptr for worker 0.
    CacheWriter(unsigned worker, cache::Cache* cache, Ring<Message>* to_keeper, Counters& counters)
        : worker_(static_cast<std::uint8_t>(worker)),
          cache_(cache),
          to_cache_writer_(to_keeper),
          counters_(counters) {}

    // Any worker. Takes over `insert`, which holds a cache::Insert.
    void submit(Buffer* insert, Now now) noexcept;
    // Worker 0: a MessageKind::insert of another worker; takes over the buffer.
    void insert(Buffer* insert, Now now) noexcept;
    // Worker 0, once per turn. True: there is more to do at once.
    bool turn(Now now) noexcept;

  private:
    std::uint8_t worker_;
    cache::Cache* cache_;
    Ring<Message>* to_cache_writer_;
    Counters& counters_;
};

}  // namespace steer
