// What adding and removing rules makes of the text of a rule file. Pure.
//
// Other lines stay byte for byte: comments, order, lines that are no good. A line that is removed goes with what stands
// behind its rule; added ones stand at the end, as they were written.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/list/rule_list.h"
#include "matchers/result.h"

namespace steer::rules {

struct RuleChange {
    bool add = true;
    std::string text;  // as a line of the file
    matchers::Rule rule;
};

// Of a rule as somebody writes it; a regexp is tried. Error: it is no good, or it cannot be a line of a file.
Result<RuleChange> make_change(bool add, std::string_view text);

struct EditedRules {
    std::string bytes;
    std::vector<bool>
        changed;  // by change: false where the rule was there already, or was not there
    [[nodiscard]] bool any() const;
};

// One change after the other. Error: the file is no text.
Result<EditedRules> edit_rules(std::string_view bytes, std::span<const RuleChange> changes);

}  // namespace steer::rules
