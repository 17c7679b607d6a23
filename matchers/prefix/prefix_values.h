// IP prefixes with one value each: the longest prefix of an address decides. Both families; an IPv6
// prefix never matches an IPv4 address. Immutable once built. Threads may search it at the same
// time.
//
// Cost of find(): a binary search. Memory: 24 bytes per end of a prefix.
#pragma once

#include <cstdint>
#include <vector>

#include "matchers/prefix/prefix_set.h"

namespace steer::matchers {

class PrefixValues {
  public:
    static constexpr std::uint32_t kNone = UINT32_MAX;

    struct Rule {
        Prefix prefix;
        bool is_v4;
        std::uint32_t value;  // any but kNone
    };
    struct Found {
        std::uint32_t value = kNone;
        std::uint8_t length = 0;  // of the 128-bit form
    };

    PrefixValues() = default;
    // Set-up only: allocates. Of two rules with the same prefix, the first one is used.
    explicit PrefixValues(std::vector<Rule> rules);

    [[nodiscard]] Found find(const IpAddress& address) const noexcept;
    [[nodiscard]] bool empty() const noexcept { return v4_.empty() && v6_.empty(); }

  private:
    // From this address up to the next range.
    struct Range {
        IpAddress first;
        Found found;
    };

    static std::vector<Range> ranges_of(std::vector<Rule> rules);

    std::vector<Range> v4_, v6_;  // sorted
};

}  // namespace steer::matchers
