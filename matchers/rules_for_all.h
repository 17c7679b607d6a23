// Finds rules that match all names, as "*" in a list does. One such line by mistake would block all
// names.
//
// A regexp matches all names if it matches nine of ten sample names in each group: names that
// people visit, names of servers and devices, and names of random labels. Full, domain and keyword
// rules never do. Compiles the few regexps without a literal: set-up only.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "matchers/name_matcher.h"

namespace steer::matchers {

// Their indexes in `rules`, ascending.
std::vector<std::size_t> rules_for_all(std::span<const Rule* const> rules);

}  // namespace steer::matchers
