// Base64 (RFC 4648 4), with padding.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace steerctl {

// No value: it is not base64. Empty, or "-" as text_of() has it for a missing text: no bytes.
std::optional<std::string> from_base64(std::string_view text);
std::string to_base64(std::string_view bytes);

}  // namespace steerctl
