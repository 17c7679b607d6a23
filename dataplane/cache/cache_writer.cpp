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

bool CacheWriter::submit(BufferPools& buffers, const cache::Key& key, const cache::KeyFacts& facts,
                         const Buffer& answer, const cache::InsertTerms& terms, Now now) noexcept {
    if (!cache::is_cacheable(terms)) return false;
    const unsigned writer =
        cache_ == nullptr ? worker_ : cache_->writer_of(cache_->shard_of(key.low, facts.instance));
    if (writer == worker_) {
        const cache::Insert head = cache::insert_head(key, facts, answer.serial, terms);
        if (cache_ != nullptr) cache_->insert(head, facts.qname, answer, now, counters_);
        return true;
    }
    Buffer* const buffer = cache::build_insert(buffers, key, facts, answer, terms);
    if (buffer == nullptr) return false;
    const Message m{.kind = MessageKind::insert, .from = worker_, .buffer = buffer};
    if (to_worker_[writer] == nullptr || !to_worker_[writer]->push(m)) {
        counters_.add(Stat::cache_insert_ring_full);
        release(buffer);
    }
    return true;
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
