// `steerdnsd --dry-run`: what a start would write to the routers of a configuration before the first query. Logs in and
// reads; writes nothing and serves no clients.
#pragma once

#include <chrono>
#include <iosfwd>
#include <vector>

#include "control/program/build/build.h"

namespace steer {

// Prints a report of each router; false if one of them could not be read within `patience`.
bool dry_run(const std::vector<build::RouterPlan>& plans, std::chrono::milliseconds patience,
             std::ostream& out);

}  // namespace steer
