#include "dataplane/cache/sieve.h"

namespace steer::cache {

// Slot::previous leads to the newer neighbour, Slot::next to the older one.

void Sieve::push(Arena& arena, SlotId id) noexcept {
    Slot& slot = arena.slot(id);
    slot.previous = kNoSlot;
    slot.next = newest_;
    if (newest_ != kNoSlot) arena.slot(newest_).previous = id;
    if (oldest_ == kNoSlot) oldest_ = id;
    newest_ = id;
    ++size_;
}

void Sieve::remove(Arena& arena, SlotId id) noexcept {
    const Slot& slot = arena.slot(id);
    if (hand_ == id) hand_ = slot.previous;
    (slot.previous == kNoSlot ? newest_ : arena.slot(slot.previous).next) = slot.next;
    (slot.next == kNoSlot ? oldest_ : arena.slot(slot.next).previous) = slot.previous;
    --size_;
}

void Sieve::begin_pass() noexcept {
    hand_ = oldest_;
    evictions_left_ = kPassEvictions * size_;
}

SlotId Sieve::victim(Arena& arena, std::uint32_t now_s) noexcept {
    if (size_ == 0) return kNoSlot;
    if (hand_ == kNoSlot || evictions_left_ == 0) begin_pass();
    for (unsigned step = 0; step < kMaxSteps; ++step) {
        Entry& entry = *arena.entry(hand_);
        if (entry.usable_until_s <= now_s || entry.visited.load(std::memory_order_relaxed) == 0)
            break;
        entry.visited.store(0, std::memory_order_relaxed);
        hand_ = arena.slot(hand_).previous;
        if (hand_ == kNoSlot) begin_pass();
    }
    --evictions_left_;
    return hand_;
}

}  // namespace steer::cache
