// Lets go of what a list was read for.
#pragma once

#include "control/config/settings.h"

namespace steer::config {

// Empties the rules and prefixes of all plugins, once what is built of them has them: about 100 bytes a line of a list.
void drop_rules(Settings& settings);

}  // namespace steer::config
