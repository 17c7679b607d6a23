// Time zones by their IANA names ("Europe/Berlin"), from the package tzdata.
#pragma once

#include <string_view>

#include "matchers/result.h"

namespace date {
class time_zone;
}

namespace steer::config {

// Empty: the system's zone, or UTC if the system has none. Error: there is no such zone, or no
// tzdata.
Result<const date::time_zone*> zone_of(std::string_view name);
Result<void> check_time_zone(std::string_view name);

}  // namespace steer::config
