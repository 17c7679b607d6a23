#include "control/config/text/time_zone.h"

#include <date/tz.h>

#include <exception>
#include <string>

#include "matchers/quote.h"

namespace steer::config {

// The library throws for an unknown zone.
Result<const date::time_zone*> zone_of(std::string_view name) {
    try {
        return name.empty() ? date::current_zone() : date::locate_zone(std::string(name));
    } catch (const std::exception&) {
        if (!name.empty()) return Error{"unknown time zone " + matchers::quoted(name)};
    }
    try {
        return date::locate_zone("UTC");  // the system has reported nothing
    } catch (const std::exception& e) {
        return Error{"time zones cannot be read; install the package tzdata: " +
                     std::string(e.what())};
    }
}

Result<void> check_time_zone(std::string_view name) {
    const auto zone = zone_of(name);
    if (!zone) return zone.error();
    return {};
}

}  // namespace steer::config
