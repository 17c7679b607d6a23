// Counts per domain, at each level of a name that has a share (matchers/suffix), and whether a share is used up.
//
// Of `total`, names below one platform (github.io) may have half, a registrable domain its share, one label below it
// half of that, two labels below a quarter. So neither a domain takes what its suffix shares, nor a part of a domain what
// the domain shares. A share of everything is no limit.
//
// Two rows of hashed counters (a count-min sketch): never too small, too large only for a key that collides in both
// rows. Keys are keyed hashes. Allocates at construction only. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "matchers/suffix/public_suffixes.h"

namespace steer {

class DomainCounts {
  public:
    // `total`: records that are counted at one time, at most. `per_domain`: the share of a registrable domain.
    DomainCounts(unsigned total, unsigned per_domain);

    void add(const matchers::DomainKeys& keys) noexcept;
    void remove(const matchers::DomainKeys& keys) noexcept;  // aborts if they were not added
    [[nodiscard]] std::uint32_t get(std::uint64_t key) const noexcept;
    // UINT32_MAX: no limit.
    [[nodiscard]] std::uint32_t share(matchers::DomainLevel level) const noexcept {
        return shares_[static_cast<std::size_t>(level)];
    }
    // A level of these has its share.
    [[nodiscard]] bool is_full(const matchers::DomainKeys& keys) const noexcept;

  private:
    std::array<std::uint32_t, matchers::kDomainLevels> shares_;
    std::vector<std::uint32_t> counts_;  // both rows
    std::size_t mask_;
    [[nodiscard]] std::size_t first(std::uint64_t key) const noexcept { return key & mask_; }
    [[nodiscard]] std::size_t second(std::uint64_t key) const noexcept {
        return mask_ + 1 + ((key >> 32) & mask_);
    }
};

}  // namespace steer
