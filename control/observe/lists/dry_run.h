// `steerdnsd --dry-run`: what a start with this configuration would write to its routers before the
// first query. Logs in and reads; writes nothing and serves no clients.
#pragma once

#include <chrono>
#include <iosfwd>
#include <vector>

#include "control/program/build/build.h"

namespace steer {

// Prints a report for each router. Returns false if one of them could not be read within
// `patience`.
bool dry_run(const std::vector<build::RouterPlan>& plans, std::chrono::milliseconds patience,
             std::ostream& out);

}  // namespace steer
