// The DNS form of international names: one answer for settings, lists and imports. Set-up only.
#pragma once

#include <string>
#include <string_view>

#include "matchers/result.h"

namespace steer::matchers {

// The name as it is if it is ASCII, else in its xn-- form in lower case (RFC 5891, by UTS 46). The text of an Error is
// the reason, to stand in brackets. Does not check the length of labels that are ASCII.
Result<std::string> ascii_name(std::string_view name);

}  // namespace steer::matchers
