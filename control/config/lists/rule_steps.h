// The steps of a set, from the rules of its lists.
#pragma once

#include <span>
#include <vector>

#include "control/config/lists/rules.h"

namespace steer::config {

// Removes the rules that a `badfilter` in any of these lists names, and the badfilters.
void apply_badfilters(std::span<ListRules> lists);

// In the order in which they decide; badfilters are applied. Names alone become one step and need
// no more memory.
std::vector<RuleStep> steps_of(ListRules list);

}  // namespace steer::config
