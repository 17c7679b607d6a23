// What of a DNS response HTTP has to know: for how long it is fresh (RFC 8484 5.1).
//
// Pure; one pass over the records' fixed parts, names are skipped.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace steer::stream {

// Seconds: the smallest TTL of the answer section, and of a negative answer's SOA (RFC 2308 5: at most
// its MINIMUM), also where the answer begins with aliases. Nothing: an error, a truncated response, or
// one that says nothing about it.
std::optional<std::uint32_t> freshness_s(std::span<const std::uint8_t> response);

}  // namespace steer::stream
