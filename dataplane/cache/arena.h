// The cache's memory: one block, cut into pages of 64 KiB, each page cut into slots of one size class.
//
// A page is given to a class when the class needs one and stays with it; while pages are left, every class can
// have a first one. Each slot has a small record for its keeper (the eviction queue's links, its place in the hash
// table), at the page's start and inside the budget, so that bookkeeping never touches a line that readers read.
//
// One thread. No heap after construction. Every operation is O(1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/cache/cache.h"

namespace steer::cache {

using SlotId = std::uint32_t;  // page << kIndexBits | index in the page
inline constexpr SlotId kNoSlot = UINT32_MAX;

struct Slot {
    SlotId previous = kNoSlot;  // in the queue that the slot is in, or
    SlotId next = kNoSlot;      // the next free or retired one
    std::int32_t position =
        -1;  // of the key in the hash table; -1: the key is not this slot's any more
    std::uint32_t serial = 0;  // of the answer
};
static_assert(sizeof(Slot) == 16);

inline constexpr std::size_t kPageSize = 65536;

// Bytes of a slot. The small ones are steps of a line or two; the large ones are a page's halves.
inline constexpr std::array<std::uint32_t, 16> kSlotSizes{
    128, 192, 256, 320, 384, 512, 640, 768, 1024, 1536, 2048, 4032, 8128, 16320, 32704, 65472};
inline constexpr std::size_t kClasses = kSlotSizes.size();

class Arena {
  public:
    // EAL must be up. Aborts with a message if there is no memory. At least one page is taken.
    explicit Arena(std::size_t budget_bytes);
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    // The smallest class that holds `bytes`; kClasses: none does.
    static unsigned class_for(std::size_t bytes) noexcept;

    // A free slot; kNoSlot: the class has none and gets no page.
    SlotId take(unsigned size_class) noexcept;
    void give_back(SlotId id) noexcept;

    [[nodiscard]] Entry* entry(SlotId id) noexcept;
    [[nodiscard]] Slot& slot(SlotId id) noexcept;
    [[nodiscard]] SlotId id_of(const Entry* entry) const noexcept;

    // How near the class is to its end: its free slots, and all it has.
    [[nodiscard]] bool can_grow(unsigned size_class) const noexcept;
    [[nodiscard]] std::size_t free_slots(unsigned size_class) const noexcept {
        return classes_[size_class].free;
    }
    [[nodiscard]] std::size_t slots(unsigned size_class) const noexcept {
        return classes_[size_class].slots;
    }

  private:
    struct SizeClass {
        SlotId first_free = kNoSlot;
        std::size_t free = 0;
        std::size_t slots = 0;
    };

    void grow(unsigned size_class) noexcept;

    std::uint8_t* base_ = nullptr;
    std::size_t pages_ = 0;
    std::size_t next_page_ = 0;  // those from here on have no class yet
    std::size_t classes_without_page_ = kClasses;
    std::array<SizeClass, kClasses> classes_;
    std::vector<std::uint8_t> class_of_page_;
};

}  // namespace steer::cache
