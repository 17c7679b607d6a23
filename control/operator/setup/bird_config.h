// The configuration of BIRD 2 that announces the routes of a configuration's `bgp_route` lists, as one text to include.
//
// Each list's table is learned by a kernel protocol into a table of BIRD's own, gets the list's community there, and is
// collected in `steerdns4` and `steerdns6`. These routes do not reach BIRD's master tables, so no other protocol exports them.
#pragma once

#include <string>

#include "control/config/settings.h"
#include "matchers/result.h"

namespace steer::setup {

// `settings` are of a configuration without errors. An Error if it has no bgp_route.
Result<std::string> bird_config(const config::Settings& settings);

}  // namespace steer::setup
