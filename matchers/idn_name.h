// The DNS form of international names, for settings, lists and imports. Set-up only.
#pragma once

#include <string>
#include <string_view>

#include "matchers/result.h"

namespace steer::matchers {

// Returns an ASCII name unchanged, and another name in its xn-- form in lower case (RFC 5891, by
// UTS 46). The text of an Error is the reason, for use in brackets. Does not check the length of
// ASCII labels.
Result<std::string> ascii_name(std::string_view name);

}  // namespace steer::matchers
