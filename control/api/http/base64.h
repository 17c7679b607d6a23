// Bytes in JSON (RFC 4648 4), with padding.
#pragma once

#include <string>
#include <string_view>

namespace steer::ops {

std::string base64(std::string_view bytes);

}  // namespace steer::ops
