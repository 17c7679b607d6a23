// Foreign text as it may stand in an error sentence: in quotes, cut, and without bytes that would
// disturb a terminal or a log. Set-up only.
#pragma once

#include <string>
#include <string_view>

namespace steer::matchers {

// At most 60 characters of `text`, bytes outside printable ASCII as \xHH, quotes around it.
std::string quoted(std::string_view text);

// The whole of it, however long: a path that is cut can not be opened. For paths of the operator's own.
std::string quoted_path(std::string_view path);

}  // namespace steer::matchers
