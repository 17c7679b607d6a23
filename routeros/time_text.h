// Times in RouterOS's format: `1w2d3h4m5s`, zero units left out, `0s` for zero.
//
// The parser also accepts the forms of older versions and of people: seconds without a unit,
// `hh:mm:ss`, `1w2d03:04:05`, fractions and milliseconds (`1s500ms`, rounded down).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace steer::routeros {

// The largest timeout of an address-list row, 35w3d13h13m56s; a larger one is a trap.
inline constexpr std::uint32_t kMaxTimeoutS = 21'474'836;

std::string time_text(std::uint64_t seconds);
// Whole seconds; no value if it is not a time or does not fit.
std::optional<std::uint64_t> parse_time(std::string_view text);

}  // namespace steer::routeros
