// SIEVE (Zhang and others, NSDI 2024): a queue in order of insertion, and a hand that moves from
// the oldest to the newest entry. The hand spares an entry that was visited since its last pass;
// the entry keeps its place. So a hit moves nothing. It writes at most one word, and only the first
// time.
//
// While no entry in front of the hand is visited, the hand stays as far from the newest entry as it
// was, and what it spared would stay for ever. So a pass of the hand also ends after kPassEvictions
// evictions for each entry that the queue had when the pass began.
//
// For one thread, except Entry::visited, which readers set.
#pragma once

#include <cstdint>

#include "dataplane/cache/arena.h"

namespace steer::cache {

class Sieve {
  public:
    void push(Arena& arena, SlotId id) noexcept;
    void remove(Arena& arena, SlotId id) noexcept;
    // The entry to evict: an expired one, or one that was not visited. After kMaxSteps steps, the
    // hand takes the entry that it has reached. Returns kNoSlot if the queue is empty.
    [[nodiscard]] SlotId victim(Arena& arena, std::uint32_t now_s) noexcept;

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

  private:
    static constexpr unsigned kMaxSteps = 64;
    // With 4, a small queue under Zipf's law loses hits. With 8 it has as many as without an end.
    static constexpr std::uint32_t kPassEvictions = 8;

    void begin_pass() noexcept;

    SlotId newest_ = kNoSlot;
    SlotId oldest_ = kNoSlot;
    SlotId hand_ = kNoSlot;             // kNoSlot: starts at the oldest entry
    std::uint32_t evictions_left_ = 0;  // in this pass
    std::uint32_t size_ = 0;
};

}  // namespace steer::cache
