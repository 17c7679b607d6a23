#include "dataplane/cache/walk.h"

#include <rte_rcu_qsbr.h>

#include <bit>
#include <chrono>
#include <thread>

#include "dataplane/cache/cache_shard.h"

namespace steer::cache {

Walk::Walk(const Cache& cache, unsigned reader, WalkPlace from)
    : cache_(cache),
      reader_(reader),
      next_shard_(from.shard),
      shard_(from.shard),
      page_(Arena::page_of(from.slot)),
      first_(from.slot) {
    rte_rcu_qsbr_thread_register(cache.qsbr_, reader_);
    seen_.reserve(Cache::kMaxOrders);
}

Walk::~Walk() {
    let_go();
    rte_rcu_qsbr_thread_unregister(cache_.qsbr_, reader_);
}

void Walk::let_go() {
    if (online_) rte_rcu_qsbr_thread_offline(cache_.qsbr_, reader_);
    online_ = false;
    seen_.clear();
}

std::span<const Walk::Seen> Walk::next() {
    rte_rcu_qsbr* const qsbr = cache_.qsbr_;
    let_go();
    while (seen_.empty() && next_shard_ < cache_.shards()) {
        const Arena& arena = cache_.shards_[next_shard_]->arena;
        if (page_ >= arena.pages()) {
            ++next_shard_;
            page_ = 0;
            first_ = 0;
            continue;
        }
        let_go();
        shard_ = next_shard_;
        rte_rcu_qsbr_thread_online(qsbr, reader_);
        online_ = true;
        const auto page = static_cast<PageId>(page_++);
        const PageView& view = arena.view(page);
        const unsigned size_class = view.size_class.load(std::memory_order_acquire);
        if (size_class == PageView::kNone) continue;
        for (std::size_t w = 0; w < view.live.size(); ++w) {
            for (std::uint64_t bits = view.live[w].load(std::memory_order_acquire); bits != 0;
                 bits &= bits - 1) {
                const std::size_t index = 64 * w + static_cast<unsigned>(std::countr_zero(bits));
                const SlotId slot = Arena::slot_of(page, index);
                if (slot >= first_)
                    seen_.push_back({slot, arena.entry_in_view(page, size_class, index)});
            }
        }
    }
    if (seen_.empty()) let_go();
    return seen_;
}

void Walk::wait_for_readers(const Cache& cache) {
    using namespace std::chrono_literals;
    rte_rcu_qsbr* const qsbr = cache.qsbr_;
    const std::uint64_t token = rte_rcu_qsbr_start(qsbr);
    while (rte_rcu_qsbr_check(qsbr, token, false) == 0)
        std::this_thread::sleep_for(50us);
}

}  // namespace steer::cache
