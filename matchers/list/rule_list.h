// A file of rules, one per line. '#' starts a comment at the start of a line or after a blank (not
// in a regexp).
//
// Returns the good rules and names every bad line; the caller decides whether a bad line stops
// the start. Any bytes are accepted; cost is linear. The caller reads the file.
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

// `file` is named in errors. `fallback`: the kind of a line without a prefix.
RuleList read_rules(std::string_view bytes, std::string_view file, RuleKind fallback);

}  // namespace steer::matchers
