// Reads a router, and carries out commands on it.
#pragma once

#include <string>

#include "control/operator/doctor/facts.h"
#include "control/operator/doctor/finding.h"
#include "routeros/client.h"

namespace steer::doctor {

// All menus that the checks need. Empty: done; else why the session ended.
std::string read_router(routeros::Client& client, RouterFacts& facts);

// In order, up to the first refusal. Empty: all were done.
std::string carry_out(routeros::Client& client, const std::vector<Change>& changes);

}  // namespace steer::doctor
