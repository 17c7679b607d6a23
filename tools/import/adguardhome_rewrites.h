// Rewrites of AdGuard Home: records for single names, and answers for all names below a domain.
#pragma once

#include "tools/import/blocker_model.h"
#include "tools/import/policy_tree.h"

namespace steer::importing {

// Adds to `records`, `wide` and `notes` of the model.
void read_rewrites(const Tree& list, BlockerModel& model);

}  // namespace steer::importing
