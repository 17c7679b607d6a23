// The names of extended DNS errors (RFC 8914 4, and IANA's registry). Allocates: not for workers.
#pragma once

#include <cstdint>
#include <string>

namespace steer::dns {

std::string extended_error_to_text(std::uint16_t code);  // "Stale Answer", "code 4711"

}  // namespace steer::dns
