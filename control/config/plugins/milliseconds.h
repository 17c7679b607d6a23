// Durations with the millisecond as their default unit.
#pragma once

#include "control/config/plugin_type.h"

namespace steer::config {

// As read_value(); `range`: "0ms..1m".
bool read_milliseconds(Reading& in, const Node& node, const Place& place, std::string_view range,
                       Milliseconds& out);

}  // namespace steer::config
