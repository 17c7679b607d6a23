// SIEVE (Zhang and others, NSDI 2024): a queue in order of insertion and a hand that moves from the oldest to the
// newest. What was visited since the hand's last pass is spared once and stays where it is; so a hit moves nothing and
// writes one word at most, and then only the first time.
//
// One thread, but for Entry::visited, which readers set.
#pragma once

#include <cstdint>

#include "dataplane/cache/arena.h"

namespace steer::cache {

class Sieve {
  public:
    void push(Arena& arena, SlotId id) noexcept;
    void remove(Arena& arena, SlotId id) noexcept;
    // Whom to evict: an expired entry, or one that was not visited. The hand takes at most kMaxSteps, then whoever it
    // stands at. kNoSlot: the queue is empty.
    [[nodiscard]] SlotId victim(Arena& arena, std::uint32_t now_s) noexcept;

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

  private:
    static constexpr unsigned kMaxSteps = 64;

    SlotId newest_ = kNoSlot;
    SlotId oldest_ = kNoSlot;
    SlotId hand_ = kNoSlot;  // kNoSlot: starts at the oldest
    std::uint32_t size_ = 0;
};

}  // namespace steer::cache
