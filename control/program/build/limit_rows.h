// The rows of `limits:` for workers and `streams` (dataplane/limits/limit_policy.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/program/build/registry.h"
#include "dataplane/limits/limit_policy.h"
#include "matchers/result.h"

namespace steer::build {

// nullptr: there is no row, or an error.
std::shared_ptr<const LimitPolicy> limit_policy(const config::Settings& settings,
                                                Registry& registry, std::vector<Error>& errors);

// A row as text: "20 queries/s, burst 20, by client prefix (/24, IPv6 /56), dry run".
std::string text_of(const LimitRow& row);

}  // namespace steer::build
