// The sets of names that the present configuration tests, and their matcher.
#pragma once

#include <memory>
#include <vector>

#include "control/program/build/build.h"
#include "matchers/name_matcher.h"

namespace steer {

struct SetsInForce {
    std::vector<build::NamedSet> sets;
    std::shared_ptr<const matchers::NameMatcher> names;  // nullptr: there are no rules
};

}  // namespace steer
