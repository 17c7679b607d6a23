// Puts answers into the cache. Every worker sends its answers to the cache writer (worker 0), which
// is the only writer.
//
// Worker 0 inserts its own answers at once; other workers send a message. If the ring is full, the
// answer is dropped and counted (Stat::cache_insert_ring_full). The next answer for that name tries
// again.
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
    // `cache` may be nullptr: then no answer is cached. `to_keeper` is nullptr for worker 0.
    CacheWriter(unsigned worker, cache::Cache* cache, Ring<Message>* to_keeper, Counters& counters)
        : worker_(static_cast<std::uint8_t>(worker)),
          cache_(cache),
          to_cache_writer_(to_keeper),
          counters_(counters) {}

    // Any worker. Takes ownership of `insert`, which holds a cache::Insert.
    void submit(Buffer* insert, Now now) noexcept;
    // For worker 0: handles a MessageKind::insert of another worker; takes ownership of the buffer.
    void insert(Buffer* insert, Now now) noexcept;
    // For worker 0, once per turn. Returns true if there is more to do at once.
    bool turn(Now now) noexcept;

  private:
    std::uint8_t worker_;
    cache::Cache* cache_;
    Ring<Message>* to_cache_writer_;
    Counters& counters_;
};

}  // namespace steer
