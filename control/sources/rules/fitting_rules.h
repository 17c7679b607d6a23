// The rules of a learned batch that a set's file does not have. Reads the file: not on the main thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/sources/rules/rule_text.h"

namespace steer::rules {

struct FittingRules {
    std::size_t all = 0;          // of the batch; entries in neither count below cannot be a rule
    std::uint64_t unchanged = 0;  // already in the file
    std::vector<RuleChange> fresh;
    std::size_t there = 0;  // rules in the file
    std::string trouble;    // why it cannot be read; empty: readable
};

FittingRules fitting_rules(const std::string& file, const std::vector<std::string>& rules);

}  // namespace steer::rules
