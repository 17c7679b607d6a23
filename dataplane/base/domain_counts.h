// Counts records per domain, at each level of a name that has a share (matchers/suffix), and says
// whether a level has used up its share.
//
// At most half of `total` may be names below one platform (github.io). A registrable domain may
// have `per_domain`, a name one label below it half of that, and a name two labels below a quarter.
// So one domain does not use up the share of its suffix, and one part of a domain not that of the
// domain. If `per_domain` is `total` or more, there are no limits.
//
// Two rows of hashed counters (a count-min sketch). A count is never too low. It is too high only
// if its key collides in both rows. Keys are keyed hashes. Allocates at construction only. For one
// thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "matchers/suffix/public_suffixes.h"

namespace steer {

class DomainCounts {
  public:
    // `total`: maximum number of records counted at a time. `per_domain`: share of a registrable
    // domain.
    DomainCounts(unsigned total, unsigned per_domain);

    void add(const matchers::DomainKeys& keys) noexcept;
    void remove(const matchers::DomainKeys& keys) noexcept;  // aborts if the keys were not added
    [[nodiscard]] std::uint32_t get(std::uint64_t key) const noexcept;
    // Returns UINT32_MAX if the level has no limit.
    [[nodiscard]] std::uint32_t share(matchers::DomainLevel level) const noexcept {
        return shares_[static_cast<std::size_t>(level)];
    }
    // Whether one of these levels has used up its share.
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
