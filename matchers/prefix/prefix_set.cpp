#include "matchers/prefix/prefix_set.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>
#include <optional>

#include "matchers/prefix/address_steps.h"
#include "matchers/quote.h"

namespace steer::matchers {
namespace {

using Range = std::pair<IpAddress, IpAddress>;

constexpr std::size_t kMany = 4096;  // ranges; from here on with a directory
constexpr unsigned kV4PartShift = 14;
constexpr std::uint32_t kFew = 4;  // ranges of a part that are compared all at once

constexpr unsigned kMapped = 96;  // bits of ::ffff:0:0/96

std::optional<unsigned> parse_length(std::string_view text, unsigned most) {
    unsigned length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (error != std::errc{} || end != text.data() + text.size() || length > most)
        return std::nullopt;
    return length;
}

// The ranges of one prefix. The IPv4 range inside a short IPv6 prefix is left
// out.
void append_ranges(const Prefix& prefix, std::vector<Range>& out) {
    static constexpr std::uint8_t kZero[4] = {};
    const IpAddress first = filled(prefix.address, prefix.length, false);
    const IpAddress last = filled(prefix.address, prefix.length, true);
    const IpAddress first_v4 = IpAddress::from_v4(kZero);
    const IpAddress last_v4 = filled(first_v4, kMapped, true);
    if (prefix.length >= kMapped || last < first_v4 || first > last_v4) {
        out.emplace_back(first, last);
        return;
    }
    out.emplace_back(first, previous(first_v4));
    if (last > last_v4) out.emplace_back(next(last_v4), last);
}

// Padding behind the last range: spans that begin after every address, or at the last one.
template <class Span>
void end(std::vector<Span>& spans) {
    constexpr auto kLast = std::numeric_limits<decltype(Span::first)>::max();
    spans.insert(spans.end(), kFew, {kLast, kLast});
}

}  // namespace

Result<Prefix> Prefix::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) {
        return Error{quoted(text) +
                     " is not an address or prefix: write one as in 192.0.2.0/24 or 2001:db8::/32"};
    }
    // ::ffff:192.0.2.0/120 is an IPv6 prefix in form, and its length counts 128 bits.
    const bool is_v4_text = text.find(':') == std::string_view::npos;
    unsigned length = 128;
    if (slash != std::string_view::npos) {
        const auto given = parse_length(text.substr(slash + 1), is_v4_text ? 32 : 128);
        if (!given) {
            return Error{"the prefix length of " + quoted(text) + " is not a number from 0 to " +
                         (is_v4_text ? "32" : "128")};
        }
        length = *given + (is_v4_text ? kMapped : 0);
    }
    return masked(*address, length);
}

Prefix Prefix::masked(const IpAddress& address, unsigned length) {
    return {filled(address, length, false), static_cast<std::uint8_t>(length)};
}

std::string Prefix::to_string() const {
    const bool v4 = address.is_v4() && length >= kMapped;
    return address.to_string() + "/" + std::to_string(length - (v4 ? kMapped : 0));
}

PrefixSet::PrefixSet(const std::vector<Prefix>& prefixes) {
    std::vector<Range> all;
    for (const Prefix& prefix : prefixes)
        append_ranges(prefix, all);
    std::ranges::sort(all);
    for (const Range& range : all) {
        const bool joins = !ranges_.empty() && range.first <= ranges_.back().second;
        if (joins) {
            ranges_.back().second = std::max(ranges_.back().second, range.second);
        } else {
            ranges_.push_back(range);
        }
    }
    for (const Range& range : ranges_) {
        if (range.first.is_v4() && range.second.is_v4())
            v4_.push_back({static_cast<std::uint32_t>(range.first.low()),
                           static_cast<std::uint32_t>(range.second.low())});
    }
    divide_v4();
    divide_v6();
    if (v4_.empty() || !v4_before_.empty()) return;
    by_octet_.resize(256);
    for (std::uint32_t octet = 0; octet < by_octet_.size(); ++octet) {
        const auto begin = std::ranges::lower_bound(v4_, octet << 24, {}, &V4Range::last);
        const auto end = std::upper_bound(
            begin, v4_.end(), octet << 24 | 0xffffff,
            [](std::uint32_t last, const V4Range& range) { return last < range.first; });
        Bucket& bucket = by_octet_[octet];
        bucket.first = static_cast<std::uint32_t>(begin - v4_.begin());
        bucket.count = static_cast<std::uint32_t>(end - begin);
        if (bucket.count == 1) bucket.only = *begin;
    }
}

void PrefixSet::divide_v4() {
    if (v4_.size() < kMany) return;
    v4_before_.assign((1U << (32 - kV4PartShift)) + 1, 0);
    for (const V4Range& range : v4_)
        ++v4_before_[(range.first >> kV4PartShift) + 1];
    std::partial_sum(v4_before_.begin(), v4_before_.end(), v4_before_.begin());
    end(v4_);
}

void PrefixSet::divide_v6() {
    constexpr std::size_t kParts = 1U << 18;
    // From the first range outside IPv4 on; no later address is in an earlier range.
    const auto from =
        std::ranges::find_if(ranges_, [](const auto& range) { return range.first.high() != 0; });
    if (ranges_.end() - from < static_cast<std::ptrdiff_t>(kMany)) return;
    v6_begin_ = from - ranges_.begin();
    v6_from_ = from->first.high();
    while ((ranges_.back().first.high() - v6_from_) >> v6_shift_ >= kParts)
        ++v6_shift_;
    v6_before_.assign(kParts + 1, 0);
    const bool whole = std::all_of(from, ranges_.end(), [](const auto& range) {
        return range.first.low() == 0 && ~range.second.low() == 0;
    });
    for (auto range = from; range != ranges_.end(); ++range) {
        ++v6_before_[((range->first.high() - v6_from_) >> v6_shift_) + 1];
        if (whole) v6_.push_back({range->first.high(), range->second.high()});
    }
    std::partial_sum(v6_before_.begin(), v6_before_.end(), v6_before_.begin());
    if (whole) end(v6_);
}

// Counts the ranges of a part that begin at `a` or before without a branch; later ranges do not count.
template <class Number>
bool PrefixSet::holds(const std::vector<Span<Number>>& spans, const std::uint32_t* part, Number a) {
    const Span<Number>* const first = spans.data() + part[0];
    const std::uint32_t count = part[1] - part[0];
    std::uint32_t begun = 0;
    if (count <= kFew) {
        for (std::uint32_t i = 0; i < kFew; ++i)
            begun += first[i].first <= a;
        begun = std::min(begun, count);
    } else {
        const auto after = std::partition_point(first, first + count,
                                                [a](const auto& span) { return span.first <= a; });
        begun = static_cast<std::uint32_t>(after - first);
    }
    const Span<Number>* const after = first + begun;
    return after != spans.data() && a <= (after - 1)->last;
}

bool PrefixSet::contains_v4_of_many(std::uint32_t a) const noexcept {
    return !v4_before_.empty() && holds(v4_, &v4_before_[a >> kV4PartShift], a);
}

bool PrefixSet::contains_v6(const IpAddress& address) const noexcept {
    auto first = ranges_.begin(), last = ranges_.end();
    if (!v6_before_.empty() && address.high() >= v6_from_) {
        // An address behind all parts may be in the last range, which belongs to the last part.
        const std::uint64_t part =
            std::min((address.high() - v6_from_) >> v6_shift_, v6_before_.size() - 2);
        if (!v6_.empty()) return holds(v6_, &v6_before_[part], address.high());
        last = first + v6_begin_ + v6_before_[part + 1];
        first += v6_begin_ + v6_before_[part];
    }
    const auto after =
        std::upper_bound(first, last, address,
                         [](const IpAddress& a, const auto& range) { return a < range.first; });
    return after != ranges_.begin() && address <= std::prev(after)->second;
}

}  // namespace steer::matchers
