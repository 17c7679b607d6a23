// The BIRD 2 configuration that announces the routes of `bgp_route` lists, as one text to include.
//
// A kernel protocol learns each list's table into a separate table of BIRD, where the routes get
// the list's community. `steerdns4` and `steerdns6` collect them. These routes do not reach BIRD's
// master tables, so no other protocol exports them.
#pragma once

#include <string>

#include "control/config/settings.h"
#include "matchers/result.h"

namespace steer::setup {

// `settings`: of a configuration without errors. Error: it has no bgp_route.
Result<std::string> bird_config(const config::Settings& settings);

}  // namespace steer::setup
