// Changes a rule file within the limits of its set, and keeps the origins of its rules (`metadata_path`).
//
// `max_entries` limits all rules. A learned rule that does not fit is not added: it never removes another rule. A rule of the
// operator that does not fit takes the place of the rule that was learned first; without a learned one it is not added.
// Without `metadata_path` all rules count as the operator's.
//
// The origins are on disk before a learned rule is in the rule file, so that no crash makes a learned rule the operator's.
// Blocks.
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
    age,    // its time is over: only if it is still a learned rule
};

struct OwnedChange {
    RuleChange change;
    ChangedBy by = ChangedBy::person;
};

struct BoundedChange {
    enum class Is : std::uint8_t { changed, unchanged, no_room };
    std::vector<Is> results;      // by change
    std::uint64_t displaced = 0;  // learned rules that made room
};

// All changes that fit are made, or none with an Error. `now_ms`: since 1970.
Result<BoundedChange> change_bounded(const config::RuleFile& file,
                                     std::span<const OwnedChange> changes, std::int64_t now_ms);

// The removal of each learned rule that is older than the set's `entry_ttl_seconds`.
Result<std::vector<RuleChange>> expired_rules(const config::RuleFile& file, std::int64_t now_ms);

}  // namespace steer::rules
