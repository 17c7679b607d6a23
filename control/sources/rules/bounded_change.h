// Changes a rule file within the limits of its set, and stores the origins of its rules
// (`metadata_path`).
//
// `max_entries` limits all rules. A learned rule that does not fit is not added: it never removes
// another rule. An operator's rule that does not fit replaces the oldest learned rule; if there is
// none, it is not added. Without `metadata_path`, all rules count as the operator's.
//
// The origins are on disk before a learned rule is in the rule file. So a crash never turns a
// learned rule into an operator's. Blocks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "control/config/settings/list_settings.h"
#include "control/sources/rules/rule_text.h"

namespace steer::rules {

enum class ChangedBy : std::uint8_t {
    person,
    query,  // learned
    age,    // expired: removed only if it is still a learned rule
};

struct OwnedChange {
    RuleChange change;
    ChangedBy by = ChangedBy::person;
};

struct BoundedChange {
    enum class Is : std::uint8_t { changed, unchanged, no_room };
    std::vector<Is> results;      // by change
    std::uint64_t displaced = 0;  // learned rules that were replaced
};

// Makes all changes that fit, or none with an Error. `now_ms`: since 1970.
Result<BoundedChange> change_bounded(const config::RuleFile& file,
                                     std::span<const OwnedChange> changes, std::int64_t now_ms);

// Returns the removal of each learned rule that is older than the set's `entry_ttl_seconds`.
Result<std::vector<RuleChange>> expired_rules(const config::RuleFile& file, std::int64_t now_ms);

}  // namespace steer::rules
