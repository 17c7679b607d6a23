#pragma once

#include <string>

namespace steer::bench {

// Says why and ends the program.
[[noreturn]] void fail(const std::string& why);

}  // namespace steer::bench
