// The mnemonics of record types (IANA's DNS parameters). Other types are TYPE4711 (RFC 3597 5).
// Allocates: not for workers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace steer::dns {

std::string type_to_text(std::uint16_t type);  // "AAAA", "TYPE4711"
// "AAAA", "https", "28", "TYPE65", "0x41"; in any case.
std::optional<std::uint16_t> type_from_text(std::string_view text);

}  // namespace steer::dns
