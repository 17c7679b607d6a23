// Foreign text for error messages: in quotes, shortened, and without bytes that would
// disturb a terminal or a log. Set-up only.
#pragma once

#include <string>
#include <string_view>

namespace steer::matchers {

// At most 60 characters of `text` in quotes. Letters of other scripts stay; control characters, those that hide or reorder
// text, and bytes that are not UTF-8 become \xHH (safe_text.h).
std::string quoted(std::string_view text);

// The complete text, because a shortened path cannot be opened. For the operator's own paths.
std::string quoted_path(std::string_view path);

}  // namespace steer::matchers
