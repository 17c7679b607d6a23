// The action of a trigger of a policy zone: from settings to an action with its answers. Set-up
// only: allocates.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "control/config/settings.h"
#include "control/program/build/known_answers.h"
#include "dataplane/answer/ad_list.h"
#include "dataplane/answer/policy_zone.h"

namespace steer::build {

// The number of an alias's target (Snapshot::redirect_target()). No value: there are too many.
using AliasNumber = std::function<std::optional<std::uint16_t>(const config::RpzAction&)>;

// `typed` and the store of `known` get its answers. `too_long` gets types with more records than a
// message can have; they are left out. No value: its alias has no number.
std::optional<PolicyAction> policy_action(const config::RpzAction& action, KnownAnswers& known,
                                          std::vector<AnswerTable::Typed>& typed,
                                          const AliasNumber& alias,
                                          std::vector<std::uint16_t>& too_long);

// What clients get to know of a block of this list or zone.
BlockNotice block_notice(const config::BlockTerms& terms);

}  // namespace steer::build
