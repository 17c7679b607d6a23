// A file of rules: one a line, '#' starts a comment at the start of a line or after a blank (not in
// a regexp).
//
// Gives the good rules and names every bad line, so that who reads decides whether a bad line stops
// the start. Any bytes will do; cost is linear. Reading the file is the caller's.
#pragma once

#include <string_view>
#include <vector>

#include "matchers/list/bad_lines.h"
#include "matchers/name_matcher.h"

namespace steer::matchers {

struct ListedRule {
    Rule rule;
    int line;
};

struct RuleList {
    std::vector<ListedRule> rules;
    BadLines bad;
};

// `file` is named in errors. `fallback`: what a line without a prefix means.
RuleList read_rules(std::string_view bytes, std::string_view file, RuleKind fallback);

}  // namespace steer::matchers
