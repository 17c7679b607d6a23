#include "dataplane/cache/cache_writer.h"

namespace steer {

void CacheWriter::submit(Buffer* buffer, Now now) noexcept {
    if (worker_ == 0) return insert(buffer, now);
    const Message m{.kind = MessageKind::insert, .from = worker_, .buffer = buffer};
    if (to_cache_writer_ == nullptr || !to_cache_writer_->push(m)) {
        counters_.add(Stat::cache_insert_ring_full);
        release(buffer);
    }
}

void CacheWriter::insert(Buffer* buffer, Now now) noexcept {
    if (cache_ != nullptr) cache_->insert(*buffer, now, counters_);
    release(buffer);
}

bool CacheWriter::turn(Now now) noexcept {
    return worker_ == 0 && cache_ != nullptr && cache_->turn(now, counters_);
}

}  // namespace steer
