// The terms of a list for a claim that no worker of this box raised: it gets no more than a claim of this box could have.
//
// Workers ask PolicyList::never_claim; `never_claim` here is the same set.
#pragma once

#include <algorithm>
#include <cstdint>

#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"

namespace steer {

struct ClaimTerms {
    matchers::PrefixSet never_claim;
    bool fixed = false;                   // every row has `longest_life_s`
    std::uint32_t longest_life_s = 3600;  // of a row; 0 (with `fixed`): no timeout
    std::uint32_t extra_time_s = 30;

    [[nodiscard]] bool may_claim(const IpAddress& address) const noexcept {
        return !never_claim.contains(address);
    }
    // `life_s`: as others asked for it. 0 is theirs for "no timeout", which only this list's own setting can give.
    [[nodiscard]] std::uint32_t row_life_s(std::uint32_t life_s) const noexcept {
        return fixed || life_s == 0 ? longest_life_s : std::min(life_s, longest_life_s);
    }
    // The end of a lease that begins now. Under rows without a timeout nothing bounds a TTL.
    [[nodiscard]] std::uint64_t lease_end_ms(std::uint64_t end_ms,
                                             std::uint64_t now_ms) const noexcept {
        if (longest_life_s == 0) return end_ms;
        const std::uint64_t longest_s = std::max(longest_life_s, extra_time_s);
        return std::min(end_ms, now_ms + longest_s * 1000);
    }
};

}  // namespace steer
