// Applies added and removed rules to the text of a rule file. Pure.
//
// Other lines stay unchanged, byte by byte: comments, order, bad lines. A removed line includes the
// comment after its rule. Added lines are at the end, in the given form.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/list/rule_list.h"
#include "matchers/result.h"

namespace steer::rules {

struct RuleChange {
    bool add = true;
    std::string text;  // its line in the file
    matchers::Rule rule;
};

// Parses a rule; a regexp is compiled. Error: invalid, or not possible as a line of a file.
Result<RuleChange> make_change(bool add, std::string_view text);

struct EditedRules {
    std::string bytes;
    std::vector<bool> changed;  // per change: false if the rule existed already, or did not exist
    [[nodiscard]] bool any() const;
};

// Applies the changes in order. Error: the file is not text.
Result<EditedRules> edit_rules(std::string_view bytes, std::span<const RuleChange> changes);

// The rules of a learned batch that a set's file does not have. Reads the file: not for the main
// thread.
struct FittingRules {
    std::size_t all = 0;          // of the batch; those in neither count below cannot be a rule
    std::uint64_t unchanged = 0;  // already in the file
    std::vector<RuleChange> fresh;
    std::size_t there = 0;  // rules in the file
    std::string error;      // why it cannot be read; empty: readable
};

FittingRules fitting_rules(const std::string& file, const std::vector<std::string>& rules);

}  // namespace steer::rules
