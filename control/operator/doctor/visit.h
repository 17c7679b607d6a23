// Reads a router, and runs commands on it.
#pragma once

#include <string>

#include "control/operator/doctor/facts.h"
#include "control/operator/doctor/finding.h"
#include "routeros/client.h"

namespace steer::doctor {

// Reads all menus that the checks need. Returns an empty text, or the reason why the session ended.
std::string read_router(routeros::Client& client, RouterFacts& facts);

// Runs the commands in order, up to the first refusal. Returns an empty text if all succeeded.
std::string carry_out(routeros::Client& client, const std::vector<Change>& changes);

}  // namespace steer::doctor
