// Recognizes files that are not lists by their first bytes: a web page, an archive, other binary
// data.
//
// The cause is a server that sends an error page with status 200. A parser would find some names in
// it.
#pragma once

#include <optional>
#include <string_view>

#include "matchers/result.h"

namespace steer::matchers {

// The error names the file's actual type. No value: try to parse it. The parsers detect UTF-16
// (not_utf8()).
std::optional<Error> why_no_list(std::string_view bytes);

}  // namespace steer::matchers
