// Names in matchers and executors: rules, $TAG of a domain_set, or &FILE.
#pragma once

#include <string>
#include <string_view>

#include "control/config/reading.h"

namespace steer::config {

inline constexpr std::string_view kNameRuleForms = "rules, $TAG of a domain_set, or &FILE";

// Reads one such word. `owner`: for messages.
void read_name_rule(Reading& in, std::string_view word, int line, const std::string& owner,
                    NameRules& out);
// Reads a list of such words.
void read_name_rules(Reading& in, const Node& node, const Place& place, NameRules& out);

}  // namespace steer::config
