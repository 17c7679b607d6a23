// From server plugins to addresses to listen on, and to frontends of queries (dataplane/policy/frontends.h).
#pragma once

#include <vector>

#include "control/config/settings.h"
#include "control/program/build/build.h"
#include "control/program/build/registry.h"
#include "dataplane/policy/frontends.h"
#include "matchers/result.h"

namespace steer::build {

// Without a server: UDP and TCP 53 everywhere, by frontend 0.
std::vector<Listener> listen(const config::Settings& settings, Registry& registry,
                             Frontends& frontends, std::vector<Error>& errors);

}  // namespace steer::build
