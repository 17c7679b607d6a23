// AdGuard Home's blocked services, by the lists of names that v2fly publishes for them.
#pragma once

#include <string_view>

namespace steer::importing {

// Returns the list of geosite.dat for AdGuard Home's name of a service; empty if there is none.
std::string_view service_list(std::string_view service);

}  // namespace steer::importing
