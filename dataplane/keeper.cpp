#include "dataplane/keeper.h"

namespace steer {

void Keeper::submit(Buffer* buffer, Now now) noexcept {
    if (worker_ == 0) return insert(buffer, now);
    const Message m{.kind = MessageKind::insert, .from = worker_, .buffer = buffer};
    if (to_keeper_ == nullptr || !to_keeper_->push(m)) {
        counters_.add(Stat::cache_insert_ring_full);
        release(buffer);
    }
}

void Keeper::insert(Buffer* buffer, Now now) noexcept {
    if (cache_ != nullptr) cache_->insert(*buffer, now, counters_);
    release(buffer);
}

bool Keeper::turn(Now now) noexcept {
    return worker_ == 0 && cache_ != nullptr && cache_->turn(now, counters_);
}

}  // namespace steer
