// Bytes as zone files write them: escapes (RFC 1035 5.1), hex digits, base64.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace steer::config {

// Nothing: an escape or a digit is wrong.
std::optional<std::vector<std::uint8_t>> unescaped(std::string_view text);
std::optional<std::vector<std::uint8_t>> bytes_of_hex(std::string_view digits);
std::optional<std::vector<std::uint8_t>> bytes_of_base64(std::string_view text);
// Big-endian.
void add_number(std::vector<std::uint8_t>& to, std::uint64_t value, unsigned bytes);

}  // namespace steer::config
