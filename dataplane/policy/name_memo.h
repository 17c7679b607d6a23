// The names that a worker matched recently: maps a name's hash to the id of its tag set, for one
// snapshot generation.
//
// Direct mapped, by 78 bits of a keyed hash, no allocation after construction. A name replaces
// another one in the same slot. Used by one worker.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/cache/cache.h"

namespace steer {

class NameMemo {
  public:
    static constexpr std::size_t kSlots = 16384;  // a power of two; 16 bytes each

    NameMemo() : slots_(kSlots) {}

    // The tag-set id under `generation`; 0 if the memo does not have the name.
    [[nodiscard]] std::uint32_t find(const cache::Key& name,
                                     std::uint32_t generation) const noexcept {
        const Slot& s = slots_[name.low % kSlots];
        return s.generation == generation && s.name_high == name.high ? s.tag_set : 0;
    }
    void put(const cache::Key& name, std::uint32_t generation, std::uint32_t tag_set) noexcept {
        slots_[name.low % kSlots] = {name.high, generation, tag_set};
    }

  private:
    struct alignas(16) Slot {  // within one CPU cache line
        std::uint64_t name_high = 0;
        std::uint32_t generation = 0;  // 0: empty; generations count from 1
        std::uint32_t tag_set = 0;
    };
    static_assert(sizeof(Slot) == 16);

    std::vector<Slot> slots_;
};

}  // namespace steer
