// The second in which an answer was made, and its age.
//
// An answer restored from a dump may be older than the machine's clock (CLOCK_BOOTTIME). Its birth
// is then negative and wraps modulo 2^32, so births cannot be compared. This type offers only
// differences, all signed: an answer up to 68 years old has the right age. Cost: one subtraction.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/base/clock.h"

namespace steer {

class Birth {
  public:
    Birth() = default;
    // In seconds of CLOCK_BOOTTIME; negative values wrap.
    [[nodiscard]] static constexpr Birth at_s(std::int64_t s) noexcept {
        return Birth(static_cast<std::uint32_t>(s));
    }
    // In milliseconds; rounded down to a second.
    [[nodiscard]] static constexpr Birth at_ms(std::int64_t ms) noexcept {
        return at_s(ms >= 0 ? ms / 1000 : -((999 - ms) / 1000));
    }
    // 0 for a birth in the next second, because threads read their clocks at different times.
    [[nodiscard, gnu::always_inline]] constexpr std::uint32_t age_s(
        std::uint32_t now_s) const noexcept {
        return static_cast<std::uint32_t>(std::max(static_cast<std::int32_t>(now_s - s_), 0));
    }
    // Seconds from `other` to this birth; negative: this one is older.
    [[nodiscard]] constexpr std::int32_t since(Birth other) const noexcept {
        return static_cast<std::int32_t>(s_ - other.s_);
    }
    // The second at which the answer has this age; also, the answer's age at a second after its
    // birth.
    [[nodiscard]] constexpr std::uint32_t at_age(std::uint32_t age_s) const noexcept {
        return s_ + age_s;
    }
    [[nodiscard]] constexpr std::uint32_t age_at(std::uint32_t s) const noexcept { return s - s_; }
    // Milliseconds of the clock that reads `now`; negative: before the machine was started.
    [[nodiscard]] std::int64_t ms(Now now) const noexcept {
        const std::int64_t age = static_cast<std::int32_t>(now.s() - s_);
        return (static_cast<std::int64_t>(now.s()) - age) * 1000;
    }

  private:
    constexpr explicit Birth(std::uint32_t s) noexcept : s_(s) {}
    std::uint32_t s_ = 0;
};
static_assert(sizeof(Birth) == 4);

}  // namespace steer
