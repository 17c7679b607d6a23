// An immutable set of IP prefixes, both families (IPv4 as ::ffff:0:0/96). Built by control, read by
// anybody.
//
// contains() is a binary search over merged, sorted ranges: O(log n), no allocation.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::matchers {

struct Prefix {
    IpAddress address;          // host bits are 0
    std::uint8_t length = 128;  // of the 128-bit form: an IPv4 /24 is 120

    // "192.0.2.0/24", "2001:db8::/32", or a bare address. Host bits are masked off.
    static Result<Prefix> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;
};

class PrefixSet {
  public:
    PrefixSet() = default;
    explicit PrefixSet(const std::vector<Prefix>& prefixes);

    [[nodiscard]] bool contains(const IpAddress& address) const noexcept;
    [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }

  private:
    using V4Range = std::pair<std::uint32_t, std::uint32_t>;  // host order

    std::vector<std::pair<IpAddress, IpAddress>> ranges_;  // first..last, disjoint, sorted
    std::vector<V4Range> v4_;                              // those of IPv4 once more
};

}  // namespace steer::matchers
