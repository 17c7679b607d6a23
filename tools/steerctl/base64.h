// Base64 (RFC 4648 4), with padding.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace steerctl {

// Returns no value if the text is not base64. Returns no bytes for empty text, and for "-", which
// text_of() gives for a missing text.
std::optional<std::string> from_base64(std::string_view text);
std::string to_base64(std::string_view bytes);

}  // namespace steerctl
