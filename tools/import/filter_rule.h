// One line of a filter list in AdGuard's syntax, as people write it by hand: a rule, a line of a
// hosts file, or a name. Lines that our plugin `adguard_rule` would refuse are named with a cause.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace steer::importing {

struct FilterRule {
    enum class Kind : std::uint8_t { nothing, block, allow, answer, unknown };
    Kind kind = Kind::nothing;
    std::vector<std::string> rules;  // block, allow: for adguard_rule, without @@
    // answer: the names of `rules` (as in `qname`) get these addresses, or this executor.
    std::vector<std::string> addresses;
    std::string executor;
    std::string why;  // unknown: the cause, as the end of a sentence
};

FilterRule read_filter_rule(std::string_view line);

// Returns a cause if an adguard_rule refuses the pattern (without @@ and modifiers); empty if not.
std::string filter_pattern_error(std::string_view pattern);

}  // namespace steer::importing
