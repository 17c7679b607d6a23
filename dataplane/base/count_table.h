// Counts per key, for example waiting queries per client or domain.
//
// Exact counts in a hash table: open addressing, linear probes, no tombstones. Allocates at
// construction only. For one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace steer {

// Holds at most `keys` keys at a time. Keys are hashes; use a keyed hash if clients choose the
// input.
class CountTable {
  public:
    explicit CountTable(unsigned keys);
    [[nodiscard]] std::uint32_t get(std::uint64_t key) const noexcept;
    void add(std::uint64_t key) noexcept;
    void remove(std::uint64_t key) noexcept;  // aborts if the key was not added

  private:
    struct Slot {
        std::uint64_t key;
        std::uint32_t count;  // 0: empty
    };
    [[nodiscard]] std::size_t place_of(std::uint64_t key) const noexcept;

    std::vector<Slot> slots_;
    std::size_t mask_;
};

}  // namespace steer
