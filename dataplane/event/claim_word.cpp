#include "dataplane/event/claim_word.h"

#include <algorithm>

#include "dataplane/event/row_board.h"

namespace steer {
namespace {

std::uint32_t minus(std::uint32_t a, std::uint32_t b) {
    return a > b ? a - b : 0;
}

std::uint32_t plus(std::uint32_t a, std::uint32_t b) {
    return a > kNoLimit - b ? kNoLimit : a + b;
}

}  // namespace

std::uint32_t ttl_limit_s(const PolicyList& list) noexcept {
    if (!list.fixed) return minus(list.max_ttl_s, list.extra_time_s);
    return list.fixed_ttl_s == 0 ? kNoLimit : minus(list.fixed_ttl_s, list.extra_time_s);
}

std::uint32_t row_life_s(const PolicyList& list, std::uint32_t ttl_s,
                         std::uint32_t leaving_s) noexcept {
    if (list.fixed) return list.fixed_ttl_s;
    const std::uint32_t clamped = std::min(std::max(ttl_s, list.min_ttl_s), list.max_ttl_s);
    // A life of 0 would mean no timeout.
    return std::max({clamped, std::min(plus(leaving_s, list.extra_time_s), list.max_ttl_s), 1U});
}

std::uint32_t ttl_until_s(const PolicyList& list, std::uint32_t installed_until_s) noexcept {
    return installed_until_s == kForever ? kNoLimit : minus(installed_until_s, list.extra_time_s);
}

Coverage coverage(std::uint32_t wanted_ttl_s, std::uint32_t now_s, std::uint32_t until_s,
                  bool may_lower) noexcept {
    if (until_s == kNoLimit || plus(now_s, wanted_ttl_s) <= until_s)
        return {Cover::covered, wanted_ttl_s};
    const std::uint32_t left = minus(until_s, now_s);
    if (left == 0) return {Cover::none, wanted_ttl_s};
    return {may_lower && left >= wanted_ttl_s - wanted_ttl_s / 2 ? Cover::lowered : Cover::ending,
            left};
}

ClaimWord ClaimWord::unpack(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word >> 32),
            static_cast<std::uint32_t>(word >> 8) & kStampMask, static_cast<std::uint8_t>(word),
            (word >> 31 & 1) != 0};
}

std::uint64_t ClaimWord::pack() const noexcept {
    return (std::uint64_t{ttl_until_s} << 32) | (std::uint64_t{is_pending} << 31) |
           (std::uint64_t{stamp} << 8) | raised;
}

std::uint64_t mix_stamp(std::uint64_t stamp, ListId list, std::uint32_t epoch) noexcept {
    std::uint64_t h =
        (std::uint64_t{list} + 1) * 0x9e3779b97f4a7c15 ^ std::uint64_t{epoch} * 0xc2b2ae3d27d4eb4f;
    h = (h ^ (h >> 31)) * 0xbf58476d1ce4e5b9;
    return stamp + (h ^ (h >> 29));
}

std::uint32_t finish_stamp(std::uint64_t stamp) noexcept {
    const auto folded = static_cast<std::uint32_t>((stamp >> 40) ^ stamp) & kStampMask;
    return folded == 0 ? 1 : folded;
}

}  // namespace steer
