// What the recursion of a configuration needs: for its check, and for the part of the daemon.
#pragma once

#include <string>
#include <vector>

#include "control/config/settings.h"
#include "matchers/result.h"

namespace steer::recursion {

// A `recursion`, and the forward that its plugin is.
struct Plan {
    std::string tag;
    config::Recursion settings;
    bool operator==(const Plan&) const = default;
};
std::vector<Plan> plans_of(const config::Settings& settings);

// What the engine says about them, at the lines of our configuration. Its check runs as the user
// that the engine will have. Without such a user, a warning says that it did not run. Waits for it.
struct PlanCheck {
    std::vector<Error> errors, warnings;
};
PlanCheck check_plans(const config::Settings& settings);
// Of these, the errors in settings themselves: for a reload, where an engine that cannot be asked
// now is no reason to keep the old ones.
std::vector<Error> refused_by_engine(const config::Settings& settings);

// Of a start: `extra` without which the engine refuses nothing is left out
// (config::Recursion::left_out), since another version of it has taken it. Warnings about that.
std::vector<Error> leave_out_extra(config::Settings& settings);
// What an operator should know before a start: whose user the engine has.
std::vector<Error> advice(const config::Settings& settings);

}  // namespace steer::recursion
