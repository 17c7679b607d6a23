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

// Errors of the engine about them, at the lines of our configuration. Waits for its check.
std::vector<Error> check_plans(const config::Settings& settings);
// What an operator should know before a start: whose user the engine has.
std::vector<Error> advice(const config::Settings& settings);

}  // namespace steer::recursion
