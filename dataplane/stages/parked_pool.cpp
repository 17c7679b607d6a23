#include "dataplane/stages/parked_pool.h"

#include <algorithm>
#include <new>

#include "dataplane/base/buffer.h"
#include "dataplane/event/event.h"
#include "dataplane/policy/snapshot.h"

namespace steer {
namespace {

const IpAddress kNobody{};  // refreshes are counted for it
static_assert(cache::kMaxInstances < UINT8_MAX, "Parked::refreshed counts them from 1");

// The programs of this machine, and all clients of a proxy on it, share its loopback addresses. No
// other host can send with them (classify() drops such frames).
bool has_quota(const Snapshot& snapshot, const IpAddress& client) {
    return !client.is_loopback() && !snapshot.trusted_forwarders.contains(client);
}

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
      by_client_(limits.records),
      by_domain_(limits.records, limits.per_suffix) {
    free_.reserve(limits.records);
}

ParkedPool::~ParkedPool() {
    ::operator delete (records_, std::align_val_t{alignof(Parked)});
}

QuotaKeys ParkedPool::keys_of(const Holder& holder,
                              std::span<const std::uint8_t> qname) const noexcept {
    constexpr std::uint64_t kOverTcp = 0xc2b2ae3d27d4eb4f, kWithCookie = 0x165667b19e3779f9;
    const std::span<const std::uint8_t> address{holder.client.bytes};
    const std::uint64_t client =
        hasher_.spread_of(holder.client.is_v4() ? address : address.first(8));
    const std::uint64_t kind = holder.over_tcp     ? kOverTcp
                               : holder.has_cookie ? kWithCookie
                                                   : std::uint64_t{0};
    return {client ^ kind, matchers::PublicSuffixes::current().keys(qname)};
}

ParkedPool::Taken ParkedPool::take(const Snapshot& snapshot, const Holder& holder,
                                   std::span<const std::uint8_t> qname) noexcept {
    if (in_use() == limits_.records) return {nullptr, Verdict::drop_parked_full};
    const QuotaKeys keys = keys_of(holder, qname);
    if (by_client_.get(keys.client) >= limits_.per_client && has_quota(snapshot, holder.client)) {
        return {nullptr, Verdict::drop_client_quota};
    }
    return take_counted(snapshot, keys, false);
}

ParkedPool::Taken ParkedPool::take_background(const Snapshot& snapshot,
                                              std::span<const std::uint8_t> qname,
                                              std::uint32_t cache) noexcept {
    if (background_ >= std::max(limits_.records / 8, 1U))
        return {nullptr, Verdict::drop_parked_full};
    const CacheInstance& of = snapshot.caches[cache];
    if (of.refreshes != nullptr && !of.refreshes->begin(of.most_refreshes))
        return {nullptr, Verdict::drop_parked_full};
    const Taken taken = take_counted(snapshot, keys_of({kNobody, false}, qname), false);
    if (taken.record != nullptr) {
        taken.record->refreshed = static_cast<std::uint8_t>(cache + 1);
        ++background_;
    } else if (of.refreshes != nullptr) {
        of.refreshes->end();
    }
    return taken;
}

ParkedPool::Taken ParkedPool::take_branch(const Snapshot& snapshot, const Holder& holder,
                                          std::span<const std::uint8_t> qname,
                                          unsigned which) noexcept {
    const unsigned share = which + 1;
    if (branches_ >= std::max(limits_.records / 4 * share, share))
        return {nullptr, Verdict::drop_parked_full};
    const QuotaKeys keys = keys_of(holder, qname);
    if (by_client_.get(of_branches(keys).client) >= limits_.per_client * share &&
        has_quota(snapshot, holder.client)) {
        return {nullptr, Verdict::drop_client_quota};
    }
    const Taken taken = take_counted(snapshot, keys, true);
    if (taken.record != nullptr) ++branches_;
    return taken;
}

QuotaKeys ParkedPool::of_branches(const QuotaKeys& keys) noexcept {
    constexpr std::uint64_t kOther = 0x9e3779b97f4a7c15;
    QuotaKeys others{keys.client ^ kOther, keys.domain};
    for (std::uint64_t& key : others.domain.of)
        if (key != 0) key ^= kOther;
    return others;
}

ParkedPool::Taken ParkedPool::take_counted(const Snapshot& snapshot, const QuotaKeys& keys,
                                           bool is_branch) noexcept {
    if (in_use() == limits_.records) return {nullptr, Verdict::drop_parked_full};
    const QuotaKeys counted = is_branch ? of_branches(keys) : keys;
    if (by_domain_.is_full(counted.domain)) return {nullptr, Verdict::drop_suffix_quota};
    by_client_.add(counted.client);
    by_domain_.add(counted.domain);

    Parked* p;
    if (free_.empty()) {
        p = new (&records_[high_water_]) Parked{};
        p->index = high_water_++;
    } else {
        p = &records_[free_.back()];
        free_.pop_back();
    }
    in_use_.store(in_use() + 1, std::memory_order_relaxed);
    p->keys = keys;
    p->sequence = p->sequence == UINT32_MAX ? 1 : p->sequence + 1;
    p->worker = worker_;
    p->snapshot = &snapshot;
    p->next_waiter = nullptr;
    p->answer = nullptr;
    p->injected = nullptr;
    p->holds_left = 0;
    p->unsettled = false;
    p->late = false;
    p->refused = false;
    p->refreshed = 0;
    p->is_branch = is_branch;
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
    if (p->refreshed != 0) {
        --background_;
        const CacheInstance& of = p->snapshot->caches[p->refreshed - 1U];
        if (of.refreshes != nullptr) of.refreshes->end();
    }
    if (p->is_branch) --branches_;
    const QuotaKeys counted = p->is_branch ? of_branches(p->keys) : p->keys;
    by_client_.remove(counted.client);
    by_domain_.remove(counted.domain);
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
