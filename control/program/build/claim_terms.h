// The rules of a list for a claim from another source than this machine's workers. Such a claim
// gets no more than a claim of our workers could get.
//
// Workers use PolicyList; `never_claim`, `never_exact` and `translated` have the same values here.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "dataplane/policy/list_addresses.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"

namespace steer {

struct ClaimTerms {
    matchers::PrefixSet never_claim{};
    matchers::PrefixSet never_exact{};
    std::vector<TranslatedPrefix> translated{};
    std::vector<IpAddress> allowed{};  // addresses of this system that may be claimed (NeededHosts)
    bool fixed = false;                // every row has `longest_life_s`
    std::uint32_t longest_life_s = 3600;  // of a row; 0 (with `fixed`): no timeout
    std::uint32_t extra_time_s = 30;

    // `address`: as in a row. If it has the prefix of a NAT64, it must be one that lists have.
    [[nodiscard]] bool may_claim(const IpAddress& address) const noexcept {
        const Judgement one = judge(*this, address);
        return one.may_claim && (one.nat64 == nullptr || one.nat64->as_v6);
    }
    // `life_s`: the requested life. 0 requests no timeout, which only this list's own setting can
    // give.
    [[nodiscard]] std::uint32_t row_life_s(std::uint32_t life_s) const noexcept {
        return fixed || life_s == 0 ? longest_life_s : std::min(life_s, longest_life_s);
    }
    // The end of a lease that begins now. If rows have no timeout, nothing limits a TTL.
    [[nodiscard]] std::uint64_t lease_end_ms(std::uint64_t end_ms,
                                             std::uint64_t now_ms) const noexcept {
        if (longest_life_s == 0) return end_ms;
        const std::uint64_t longest_s = std::max(longest_life_s, extra_time_s);
        return std::min(end_ms, now_ms + longest_s * 1000);
    }
};

}  // namespace steer
