// Types and classes of DNS as an operator writes them (IANA's names, in any case).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace steer::config {

// "A", "https", "28", "TYPE65".
std::optional<std::uint16_t> parse_qtype(std::string_view text);
// "IN", "any", "3", "CLASS3".
std::optional<std::uint16_t> parse_qclass(std::string_view text);

}  // namespace steer::config
