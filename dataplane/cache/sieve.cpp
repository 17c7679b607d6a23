#include "dataplane/cache/sieve.h"

#include <algorithm>

namespace steer::cache {

template <SlotLinks Slot::*kLinks>
void Sieve<kLinks>::push(Arena& arena, SlotId id) noexcept {
    arena.slot(id).*kLinks = {.newer = kNoSlot, .older = newest_};
    if (newest_ != kNoSlot) (arena.slot(newest_).*kLinks).newer = id;
    if (oldest_ == kNoSlot) oldest_ = id;
    newest_ = id;
    ++size_;
}

template <SlotLinks Slot::*kLinks>
void Sieve<kLinks>::remove(Arena& arena, SlotId id) noexcept {
    const auto [newer, older] = arena.slot(id).*kLinks;
    if (hand_ == id) hand_ = newer;
    (newer == kNoSlot ? newest_ : (arena.slot(newer).*kLinks).older) = older;
    (older == kNoSlot ? oldest_ : (arena.slot(older).*kLinks).newer) = newer;
    --size_;
}

template <SlotLinks Slot::*kLinks>
void Sieve<kLinks>::begin_pass() noexcept {
    hand_ = oldest_;
    evictions_left_ = kPassEvictions * size_;
}

template <SlotLinks Slot::*kLinks>
SlotId Sieve<kLinks>::victim(Arena& arena, std::uint32_t now_s) noexcept {
    if (size_ == 0) return kNoSlot;
    // Entries may have left by another way since the pass began.
    evictions_left_ = std::min(evictions_left_, kPassEvictions * size_);
    if (hand_ == kNoSlot || evictions_left_ == 0) begin_pass();
    for (unsigned step = 0; step < kMaxSteps; ++step) {
        Entry& entry = *arena.entry(hand_);
        if (entry.usable_until_s <= now_s || entry.visited.load(std::memory_order_relaxed) == 0)
            break;
        entry.visited.store(0, std::memory_order_relaxed);
        hand_ = (arena.slot(hand_).*kLinks).newer;
        if (hand_ == kNoSlot) begin_pass();
    }
    --evictions_left_;
    return hand_;
}

template class Sieve<&Slot::of_instance>;
template class Sieve<&Slot::of_class>;

}  // namespace steer::cache
