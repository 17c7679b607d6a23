// Numbers the distinct sets of domain sets that names are in. Cache entries, name memos and parked
// records store the small id in place of a TagBits.
//
// One per snapshot, shared by all workers. Append-only: a slot changes once from empty to busy to
// ready, and is then immutable. So readers and writers never wait. A worker that finds a busy slot
// uses its bits without an id. Memory: kCapacity slots of 48 bytes. Configurations have far fewer
// different sets. If the table is full, names in new sets have no id and are matched each time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "matchers/name_matcher.h"

namespace steer {

class TagSets {
  public:
    static constexpr std::uint32_t kCapacity = 4096;  // a power of two

    TagSets();

    // The id of `bits`, 1..kCapacity; 0 if there is no id now.
    std::uint32_t intern(const matchers::TagBits& bits) noexcept;
    // The bits of an id. nullptr if there is no such id (yet, or it is from another snapshot).
    // Valid as long as this object.
    [[nodiscard]] const matchers::TagBits* find(std::uint32_t id) const noexcept;

  private:
    enum State : std::uint32_t { empty, busy, ready };
    struct Slot {
        std::atomic<std::uint32_t> state{empty};  // set with release after `bits` are written
        matchers::TagBits bits;
    };
    static constexpr unsigned kProbes = 16;

    std::unique_ptr<Slot[]> slots_;
};

}  // namespace steer
