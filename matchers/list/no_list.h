// What is no list at all, by its first bytes: a web page, an archive, other binary data.
//
// A server that answers with an error page and status 200 gives such a file. Readers would find a name or two in it.
#pragma once

#include <optional>
#include <string_view>

#include "matchers/result.h"

namespace steer::matchers {

// The error says what it is instead. Nothing: it can be tried line by line. UTF-16 is for the readers (not_utf8()).
std::optional<Error> why_no_list(std::string_view bytes);

}  // namespace steer::matchers
