// Types and classes of DNS in an operator's text (IANA's names, in any case), and the names of
// addresses.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace steer::config {

// "A", "https", "28", "TYPE65".
std::optional<std::uint16_t> parse_qtype(std::string_view text);
// "IN", "any", "CHAOS", "3", "CLASS3".
std::optional<std::uint16_t> parse_qclass(std::string_view text);

// The wire form of a name that an operator asks about. Presentation form; IDNA converts letters
// outside ASCII.
std::optional<std::vector<std::uint8_t>> asked_name(std::string_view text);

// The name of the PTR of an address ("10.2.0.192.in-addr.arpa"); `bytes`: 4, in network order.
std::string pointer_name_v4(std::span<const std::uint8_t> bytes);
// The same for IPv6's 16 bytes. With fewer bytes: the common end of all names for that prefix.
std::string pointer_name_v6(std::span<const std::uint8_t> bytes);

}  // namespace steer::config
