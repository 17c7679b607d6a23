// Durations for the dataplane: whole numbers of at most 32 bits, never negative.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "control/config/settings.h"

namespace steer::build {

inline std::uint32_t milliseconds(config::Milliseconds value) {
    constexpr std::int64_t kMax = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::min<std::int64_t>(value.count(), kMax));
}

inline std::uint32_t seconds(config::Milliseconds value) {
    return milliseconds(value / 1000);
}

}  // namespace steer::build
