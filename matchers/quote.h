// Foreign text for error messages: quoted, shortened, and without bytes that would disturb a
// terminal or a log. Set-up only.
#pragma once

#include <string>
#include <string_view>

namespace steer::matchers {

// Quotes at most 60 characters of `text`. Letters of other scripts stay. Control characters,
// characters that hide or reorder text, and bytes that are not UTF-8 become \xHH (safe_text.h).
std::string quoted(std::string_view text);

// Quotes the whole text, because a shortened path cannot be opened. For the operator's own paths.
std::string quoted_path(std::string_view path);

}  // namespace steer::matchers
