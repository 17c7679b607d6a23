// The interface that a zone names (matchers/prefix/zoned_address.h): by name, or by number as `ip link` shows it. Asks the
// kernel, because interfaces come and go.
#pragma once

#include <string>

namespace steer::resolver {

// 0: there is none.
unsigned interface_number(const std::string& zone);
// Empty: there is none with this number. A name stays as it is, also one of digits alone.
std::string interface_name(const std::string& zone);

}  // namespace steer::resolver
