#include "dataplane/parked_pool.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "dataplane/dns/query.h"
#include "dataplane/event/event.h"

namespace steer {
namespace {

[[noreturn]] void broken(const char* what) {
    std::fprintf(stderr, "parked queries: %s\n", what);
    std::abort();
}

const IpAddress kNobody{};  // who a refresh is counted for

// The last two labels of a wire name (all of a shorter one), with the root byte.
std::span<const std::uint8_t> two_label_suffix(std::span<const std::uint8_t> name) {
    std::size_t last = 0, before_last = 0;
    for (std::size_t at = 0; at < name.size() && name[at] != 0; at += name[at] + 1U) {
        before_last = last;
        last = at;
    }
    return name.subspan(before_last);
}

}  // namespace

CountTable::CountTable(unsigned keys)
    : slots_(std::bit_ceil(std::size_t{keys} * 2 + 2)), mask_(slots_.size() - 1) {}

std::size_t CountTable::place_of(std::uint64_t key) const noexcept {
    std::size_t at = key & mask_;
    while (slots_[at].count != 0 && slots_[at].key != key)
        at = (at + 1) & mask_;
    return at;
}

std::uint32_t CountTable::get(std::uint64_t key) const noexcept {
    return slots_[place_of(key)].count;
}

void CountTable::add(std::uint64_t key) noexcept {
    Slot& s = slots_[place_of(key)];
    s.key = key;
    ++s.count;
}

void CountTable::remove(std::uint64_t key) noexcept {
    std::size_t hole = place_of(key);
    if (slots_[hole].count == 0) broken("a quota was given back that nobody took");
    if (--slots_[hole].count != 0) return;
    // Close the hole: whatever would not be found across it moves into it (Knuth 6.4, algorithm R).
    for (std::size_t at = (hole + 1) & mask_; slots_[at].count != 0; at = (at + 1) & mask_) {
        const std::size_t home = slots_[at].key & mask_;
        if (((at - home) & mask_) >= ((at - hole) & mask_)) {
            slots_[hole] = slots_[at];
            slots_[at].count = 0;
            hole = at;
        }
    }
}

ParkedPool::ParkedPool(Limits limits, unsigned worker, const cache::KeyHasher& hasher,
                       Shared::ParkedCounts& counts)
    : limits_(limits),
      worker_(static_cast<std::uint8_t>(worker)),
      hasher_(hasher),
      counts_(counts),
      records_(static_cast<Parked*>(::operator new (std::size_t{limits.records} * sizeof(Parked),
                                                    std::align_val_t{alignof(Parked)}))),
      by_client_(limits.records),
      by_suffix_(limits.records) {
    free_.reserve(limits.records);
}

ParkedPool::~ParkedPool() {
    ::operator delete (records_, std::align_val_t{alignof(Parked)});
}

ParkedPool::Keys ParkedPool::keys_of(const IpAddress& client,
                                     std::span<const std::uint8_t> qname) const noexcept {
    const std::span<const std::uint8_t> address{client.bytes};
    return {hasher_.of_name(client.is_v4() ? address : address.first(8)).low,
            hasher_.of_name(two_label_suffix(qname)).low};
}

ParkedPool::Taken ParkedPool::take(const Snapshot& snapshot, const IpAddress& client,
                                   std::span<const std::uint8_t> qname) noexcept {
    if (in_use_ == limits_.records) return {nullptr, Verdict::drop_parked_full};
    const Keys keys = keys_of(client, qname);
    if (by_client_.get(keys.client) >= limits_.per_client &&
        !snapshot.trusted_forwarders.contains(client)) {
        return {nullptr, Verdict::drop_client_quota};
    }
    return take_counted(snapshot, keys);
}

ParkedPool::Taken ParkedPool::take_background(const Snapshot& snapshot,
                                              std::span<const std::uint8_t> qname) noexcept {
    if (background_ >= std::max(limits_.records / 8, 1U))
        return {nullptr, Verdict::drop_parked_full};
    const Taken taken = take_counted(snapshot, keys_of(kNobody, qname));
    if (taken.record != nullptr) {
        taken.record->background = true;
        ++background_;
    }
    return taken;
}

ParkedPool::Taken ParkedPool::take_counted(const Snapshot& snapshot, const Keys& keys) noexcept {
    if (in_use_ == limits_.records) return {nullptr, Verdict::drop_parked_full};
    if (by_suffix_.get(keys.suffix) >= std::max(limits_.records / 4, 1U))
        return {nullptr, Verdict::drop_suffix_quota};
    by_client_.add(keys.client);
    by_suffix_.add(keys.suffix);

    Parked* p;
    if (free_.empty()) {
        p = new (&records_[high_water_]) Parked{};
        p->index = high_water_++;
    } else {
        p = &records_[free_.back()];
        free_.pop_back();
    }
    ++in_use_;
    p->sequence = p->sequence == UINT32_MAX ? 1 : p->sequence + 1;
    p->worker = worker_;
    p->snapshot = &snapshot;
    p->next_waiter = nullptr;
    p->answer = nullptr;
    p->holds_left = 0;
    p->unsettled = false;
    p->background = false;
    p->ede = kNoEde;
    count_generation(snapshot, 1);
    return {p, Verdict::forwarded};
}

void ParkedPool::give(Parked* p) noexcept {
    std::array<std::uint8_t, 256> qname;
    dns::lower_case(p->qname.data(), qname.data(), p->qname_len);
    const Keys keys =
        keys_of(p->background ? kNobody : p->path.client, {qname.data(), p->qname_len});
    if (p->background) --background_;
    by_client_.remove(keys.client);
    by_suffix_.remove(keys.suffix);
    count_generation(*p->snapshot, -1);
    p->state = Parked::State::free;
    p->snapshot = nullptr;
    free_.push_back(p->index);
    --in_use_;
}

// One writer; released so that control, having read 0, sees all that was done under that generation
// as done.
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
