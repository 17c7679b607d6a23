#include "dataplane/cache/cache_writer.h"

#include <rte_debug.h>

namespace steer {

CacheWriter::CacheWriter(unsigned worker, cache::Cache* cache,
                         std::span<Ring<Message>* const> to_worker, Counters& counters)
    : worker_(static_cast<std::uint8_t>(worker)),
      cache_(cache),
      to_worker_(to_worker),
      counters_(counters) {
    for (unsigned shard = 0; cache != nullptr && shard < cache->shards(); ++shard) {
        if (cache->writer_of(shard) == worker) shard_ = shard;
    }
}

void CacheWriter::submit(Buffer* buffer, Now now) noexcept {
    const unsigned writer = cache_ == nullptr ? worker_ : cache_->writer_of(*buffer);
    if (writer == worker_) return insert(buffer, now);
    const Message m{.kind = MessageKind::insert, .from = worker_, .buffer = buffer};
    if (to_worker_[writer] == nullptr || !to_worker_[writer]->push(m)) {
        counters_.add(Stat::cache_insert_ring_full);
        release(buffer);
    }
}

void CacheWriter::insert(Buffer* buffer, Now now) noexcept {
    if (cache_ != nullptr) {
        if (cache_->writer_of(*buffer) != worker_)
            rte_panic(
                "worker %u was sent an answer for a shard of the cache that worker %u writes\n",
                worker_, cache_->writer_of(*buffer));
        cache_->insert(*buffer, now, counters_);
    }
    release(buffer);
}

bool CacheWriter::turn(Now now) noexcept {
    return shard_ != kNoShard && cache_->turn(shard_, now, counters_);
}

}  // namespace steer
