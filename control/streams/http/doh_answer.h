// The freshness of a DNS response for HTTP (RFC 8484 5.1).
//
// Pure; one pass over the records' fixed parts, names are skipped.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace steer::stream {

// Seconds: the smallest TTL of the answer section, and of a negative answer's SOA (RFC 2308 5: at
// most its MINIMUM), even if the answer begins with aliases. No value: an error, a truncated
// response, or a response without such a TTL.
std::optional<std::uint32_t> freshness_s(std::span<const std::uint8_t> response);

}  // namespace steer::stream
