// The secret of DNS cookies as text: 32 hexadecimal digits, as in the file of `cookies.secret_file`
// and in the daemon's own file.
#pragma once

#include <optional>
#include <string_view>

#include "control/config/settings/section_settings.h"

namespace steer::config {

// No value: it has another length, or other characters.
std::optional<CookieSecretBytes> cookie_secret_of(std::string_view digits);

}  // namespace steer::config
