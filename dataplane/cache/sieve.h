// SIEVE (Zhang and others, NSDI 2024): a queue in order of insertion, and a hand that moves from
// the oldest to the newest entry. The hand spares an entry that was visited since its last pass;
// the entry keeps its place. So a hit moves nothing. It writes at most one word, and only the first
// time.
//
// While entries in front of the hand are unvisited, new entries arrive as fast as the hand moves.
// Then it never reaches the newest entry, and spared entries would stay forever. So a pass also ends
// after kPassEvictions evictions per entry in the queue at its start.
//
// An entry is in two queues with a hand each: that of its instance and that of its size class.
//
// For one thread, except Entry::visited, which readers set.
#pragma once

#include <cstdint>

#include "dataplane/cache/arena.h"

namespace steer::cache {

// `kLinks`: the queue's links in a slot.
template <SlotLinks Slot::*kLinks>
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
    // In a simulation under Zipf's law, a small queue loses hits with 4, and none with 8.
    static constexpr std::uint64_t kPassEvictions = 8;

    void begin_pass() noexcept;

    SlotId newest_ = kNoSlot;
    SlotId oldest_ = kNoSlot;
    SlotId hand_ = kNoSlot;             // kNoSlot: starts at the oldest entry
    std::uint64_t evictions_left_ = 0;  // in this pass
    std::uint32_t size_ = 0;
};

}  // namespace steer::cache
