#include "dataplane/base/count_table.h"

#include <bit>
#include <cstdio>
#include <cstdlib>

namespace steer {

CountTable::CountTable(unsigned keys)
    : slots_(std::bit_ceil(std::size_t{keys} * 2 + 2)), mask_(slots_.size() - 1) {}

std::size_t CountTable::place_of(std::uint64_t key) const noexcept {
    std::size_t at = key & mask_;
    while (slots_[at].count != 0 && slots_[at].key != key)
        at = (at + 1) & mask_;
    return at;
}

std::uint32_t CountTable::get(std::uint64_t key) const noexcept {
    return slots_[place_of(key)].count;
}

void CountTable::add(std::uint64_t key) noexcept {
    Slot& s = slots_[place_of(key)];
    s.key = key;
    ++s.count;
}

void CountTable::remove(std::uint64_t key) noexcept {
    std::size_t hole = place_of(key);
    if (slots_[hole].count == 0) {
        std::fprintf(stderr, "a quota was released that was not taken\n");
        std::abort();
    }
    if (--slots_[hole].count != 0) return;
    // Close the hole: move in each entry that a search would no longer find (Knuth 6.4, algorithm R).
    for (std::size_t at = (hole + 1) & mask_; slots_[at].count != 0; at = (at + 1) & mask_) {
        const std::size_t home = slots_[at].key & mask_;
        if (((at - home) & mask_) >= ((at - hole) & mask_)) {
            slots_[hole] = slots_[at];
            slots_[at].count = 0;
            hole = at;
        }
    }
}

}  // namespace steer
