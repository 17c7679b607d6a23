// A hash table of record numbers: open addressing with linear probing. A deletion shifts entries
// back, so there are no tombstones. Keys are in the records; the caller compares them.
//
// Fixed size, at most half full; allocates at construction only. For one thread.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace steer::forward {

inline constexpr std::uint32_t kNone = UINT32_MAX;  // no record

class IndexTable {
  public:
    explicit IndexTable(unsigned records)
        : slots_(std::bit_ceil(std::size_t{records} * 2 + 1)),
          mask_(static_cast<std::uint32_t>(slots_.size() - 1)) {}

    // The record with this hash for which `same(record)` is true; kNone if there is none.
    template <class Same>
    [[nodiscard]] std::uint32_t find(std::uint32_t hash, Same&& same) const noexcept {
        for (std::uint32_t i = hash & mask_; slots_[i].record != kNone; i = (i + 1) & mask_) {
            if (slots_[i].hash == hash && same(slots_[i].record)) return slots_[i].record;
        }
        return kNone;
    }
    // Holds at most `records` records.
    void insert(std::uint32_t hash, std::uint32_t record) noexcept {
        std::uint32_t i = hash & mask_;
        while (slots_[i].record != kNone)
            i = (i + 1) & mask_;
        slots_[i] = {hash, record};
    }
    // `record` must be in the table under `hash`.
    void erase(std::uint32_t hash, std::uint32_t record) noexcept {
        std::uint32_t hole = hash & mask_;
        while (slots_[hole].record != record)
            hole = (hole + 1) & mask_;
        for (std::uint32_t i = (hole + 1) & mask_; slots_[i].record != kNone; i = (i + 1) & mask_) {
            // An entry may move into the hole unless its home lies behind the hole.
            if (((i - slots_[i].hash) & mask_) < ((i - hole) & mask_)) continue;
            slots_[hole] = slots_[i];
            hole = i;
        }
        slots_[hole].record = kNone;
    }

  private:
    struct Slot {
        std::uint32_t hash = 0;
        std::uint32_t record = kNone;
    };
    std::vector<Slot> slots_;
    std::uint32_t mask_;
};

}  // namespace steer::forward
