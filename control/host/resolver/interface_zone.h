// The interface that a zone names (matchers/prefix/zoned_address.h): by name, or by number as `ip
// link` shows it. Queries the kernel, because interfaces appear and disappear.
#pragma once

#include <string>

namespace steer::resolver {

// Returns 0 if there is none.
unsigned interface_number(const std::string& zone);
// Empty if no interface has this number. A name stays unchanged, even one of digits only.
std::string interface_name(const std::string& zone);

}  // namespace steer::resolver
