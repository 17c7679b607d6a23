// An immutable set of IP prefixes of both families (IPv4 as ::ffff:0:0/96). Control builds it; any
// thread may read it.
//
// contains() searches merged, sorted ranges. In a small set, these are the ranges of the address's
// /8. In a large set, they are the ranges of its /18, or of its part of the span of the IPv6
// prefixes. There are usually few, and they are counted without a branch, which would be
// unpredictable. O(log n) at worst, no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::matchers {

struct Prefix {
    IpAddress address;          // host bits are 0
    std::uint8_t length = 128;  // of the 128-bit form: 120 for an IPv4 /24
    friend bool operator==(const Prefix&, const Prefix&) = default;

    // Parses "192.0.2.0/24", "2001:db8::/32", or a bare address. Clears host bits.
    static Result<Prefix> parse(std::string_view text);
    // `length`: as above, at most 128. Clears host bits.
    static Prefix masked(const IpAddress& address, unsigned length);
    [[nodiscard]] std::string to_string() const;
};

class PrefixSet {
  public:
    PrefixSet() = default;
    explicit PrefixSet(const std::vector<Prefix>& prefixes);

    [[nodiscard]] bool contains(const IpAddress& address) const noexcept {
        return address.is_v4() ? contains_v4(static_cast<std::uint32_t>(address.low()))
                               : contains_v6(address);
    }
    [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }

  private:
    template <class Number>
    struct Span {
        Number first, last;  // host order, both inclusive
    };
    using V4Range = Span<std::uint32_t>;

    // The ranges that overlap a /8. If there is at most one, its bounds are here.
    struct Bucket {
        std::uint32_t first = 0, count = 0;
        V4Range only{1, 0};
    };

    // Only the last range of the /8 that begins at or before `a` can contain it. Inline, and
    // without a branch on the comparison: it runs for every query's source.
    [[nodiscard]] bool contains_v4(std::uint32_t a) const noexcept {
        if (by_octet_.empty()) return contains_v4_of_many(a);
        const Bucket& bucket = by_octet_[a >> 24];
        const V4Range* range = &bucket.only;
        if (bucket.count > 1) {
            range = v4_.data() + bucket.first;
            for (std::size_t n = bucket.count; n > 1;) {
                const std::size_t half = n / 2;
                range += range[half].first <= a ? half : 0;
                n -= half;
            }
        }
        return range->first <= a && a <= range->last;
    }
    template <class Number>
    static bool holds(const std::vector<Span<Number>>& spans, const std::uint32_t* part, Number a);
    void divide_v4();
    void divide_v6();
    [[nodiscard]] bool contains_v4_of_many(std::uint32_t a) const noexcept;
    [[nodiscard]] bool contains_v6(const IpAddress& address) const noexcept;

    std::vector<std::pair<IpAddress, IpAddress>> ranges_;  // first..last, disjoint, sorted
    std::vector<V4Range> v4_;                              // a copy of the IPv4 ranges
    std::vector<Bucket> by_octet_;                         // 256 if there are a few such ranges

    // For large sets: the number of ranges that begin before part n. IPv4 parts are /18. IPv6 parts
    // have equal sizes from v6_from_ on, by the high half of addresses; the first range is
    // v6_begin_. If all ranges are whole /64s, their high halves are also in v6_. v4_ and v6_ end
    // with readable padding.
    std::vector<std::uint32_t> v4_before_, v6_before_;
    std::vector<Span<std::uint64_t>> v6_;
    std::ptrdiff_t v6_begin_ = 0;
    std::uint64_t v6_from_ = 0;
    unsigned v6_shift_ = 0;
};

}  // namespace steer::matchers
