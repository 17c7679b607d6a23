#include "dataplane/stages/parked_pool.h"

#include <algorithm>
#include <new>

#include "dataplane/base/buffer.h"
#include "dataplane/event/event.h"

namespace steer {
namespace {

const IpAddress kNobody{};  // refreshes are counted for it

// Memory for `count` records, untouched.
template <class T>
T* room_for(std::size_t count) {
    return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{alignof(T)}));
}

}  // namespace

ParkedPool::ParkedPool(Limits limits, unsigned worker, const cache::KeyHasher& hasher,
                       Shared::ParkedCounts& counts)
    : limits_(limits),
      worker_(static_cast<std::uint8_t>(worker)),
      hasher_(hasher),
      counts_(counts),
      records_(room_for<Parked>(limits.records)),
      keys_(room_for<Keys>(limits.records)),
      by_client_(limits.records),
      by_domain_(limits.records, limits.per_suffix) {
    free_.reserve(limits.records);
}

ParkedPool::~ParkedPool() {
    ::operator delete (records_, std::align_val_t{alignof(Parked)});
    ::operator delete (keys_, std::align_val_t{alignof(Keys)});
}

ParkedPool::Keys ParkedPool::keys_of(const Holder& holder,
                                     std::span<const std::uint8_t> qname) const noexcept {
    constexpr std::uint64_t kOverTcp = 0xc2b2ae3d27d4eb4f;
    const std::span<const std::uint8_t> address{holder.client.bytes};
    const std::uint64_t client =
        hasher_.of_name(holder.client.is_v4() ? address : address.first(8)).low;
    return {holder.over_tcp ? client ^ kOverTcp : client,
            matchers::PublicSuffixes::current().keys(qname)};
}

ParkedPool::Taken ParkedPool::take(const Snapshot& snapshot, const Holder& holder,
                                   std::span<const std::uint8_t> qname) noexcept {
    if (in_use() == limits_.records) return {nullptr, Verdict::drop_parked_full};
    const Keys keys = keys_of(holder, qname);
    if (by_client_.get(keys.client) >= limits_.per_client &&
        !snapshot.trusted_forwarders.contains(holder.client)) {
        return {nullptr, Verdict::drop_client_quota};
    }
    return take_counted(snapshot, keys);
}

ParkedPool::Taken ParkedPool::take_background(const Snapshot& snapshot,
                                              std::span<const std::uint8_t> qname) noexcept {
    if (background_ >= std::max(limits_.records / 8, 1U))
        return {nullptr, Verdict::drop_parked_full};
    const Taken taken = take_counted(snapshot, keys_of({kNobody, false}, qname));
    if (taken.record != nullptr) {
        taken.record->background = true;
        ++background_;
    }
    return taken;
}

ParkedPool::Taken ParkedPool::take_branch(const Snapshot& snapshot, const Holder& holder,
                                          std::span<const std::uint8_t> qname,
                                          unsigned which) noexcept {
    const unsigned share = which + 1;
    if (branches_ >= std::max(limits_.records / 4 * share, share))
        return {nullptr, Verdict::drop_parked_full};
    const Keys keys = of_branches(keys_of(holder, qname));
    if (by_client_.get(keys.client) >= limits_.per_client * share &&
        !snapshot.trusted_forwarders.contains(holder.client)) {
        return {nullptr, Verdict::drop_client_quota};
    }
    const Taken taken = take_counted(snapshot, keys);
    if (taken.record != nullptr) {
        taken.record->is_branch = true;
        ++branches_;
    }
    return taken;
}

ParkedPool::Keys ParkedPool::of_branches(const Keys& keys) noexcept {
    constexpr std::uint64_t kOther = 0x9e3779b97f4a7c15;
    Keys others{keys.client ^ kOther, keys.domain};
    for (std::uint64_t& key : others.domain.of)
        if (key != 0) key ^= kOther;
    return others;
}

ParkedPool::Taken ParkedPool::take_counted(const Snapshot& snapshot, const Keys& keys) noexcept {
    if (in_use() == limits_.records) return {nullptr, Verdict::drop_parked_full};
    if (by_domain_.is_full(keys.domain)) return {nullptr, Verdict::drop_suffix_quota};
    by_client_.add(keys.client);
    by_domain_.add(keys.domain);

    Parked* p;
    if (free_.empty()) {
        p = new (&records_[high_water_]) Parked{};
        p->index = high_water_++;
    } else {
        p = &records_[free_.back()];
        free_.pop_back();
    }
    in_use_.store(in_use() + 1, std::memory_order_relaxed);
    keys_[p->index] = keys;
    p->sequence = p->sequence == UINT32_MAX ? 1 : p->sequence + 1;
    p->worker = worker_;
    p->snapshot = &snapshot;
    p->next_waiter = nullptr;
    p->answer = nullptr;
    p->injected = nullptr;
    p->holds_left = 0;
    p->unsettled = false;
    p->refused = false;
    p->background = false;
    p->is_branch = false;
    p->wait = 0;
    p->trace = 0;
    p->stale_at_ms = 0;
    p->upstream = Parked::kNotAsked;
    p->kept = {};
    p->ede = kNoEde;
    count_generation(snapshot, 1);
    return {p, Verdict::forwarded};
}

void ParkedPool::give(Parked* p) noexcept {
    if (p->injected != nullptr) release(p->injected);
    if (p->background) --background_;
    if (p->is_branch) --branches_;
    const Keys& keys = keys_[p->index];
    by_client_.remove(keys.client);
    by_domain_.remove(keys.domain);
    count_generation(*p->snapshot, -1);
    p->state = Parked::State::free;
    p->snapshot = nullptr;
    free_.push_back(p->index);
    in_use_.store(in_use() - 1, std::memory_order_relaxed);
}

// One writer. Released, so that when control reads 0 it sees all work under that generation
// complete.
void ParkedPool::count_generation(const Snapshot& snapshot, int change) noexcept {
    auto& count = counts_.by_slot[snapshot.slot];
    count.store(count.load(std::memory_order_relaxed) + static_cast<std::uint32_t>(change),
                std::memory_order_release);
}

std::uint64_t ParkedPool::token_of(const Parked& p) noexcept {
    return make_hold_token(p.worker, p.index, p.sequence);
}

Parked* ParkedPool::find(std::uint64_t token) noexcept {
    const auto index =
        (static_cast<std::uint32_t>(token >> 32) & 0xffffffU) - 1;  // a token counts from 1
    if (worker_of_hold_token(token) != worker_ || index >= high_water_) return nullptr;
    Parked& p = records_[index];
    return p.state != Parked::State::free && p.sequence == static_cast<std::uint32_t>(token)
               ? &p
               : nullptr;
}

}  // namespace steer
