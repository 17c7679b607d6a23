// Errors of system calls, as sentences.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "matchers/result.h"

namespace steer::recursion {

// "WHAT: Permission denied", by errno.
inline Error last_error(std::string_view what) {
    return Error{std::string(what) + ": " + std::strerror(errno)};
}

}  // namespace steer::recursion
