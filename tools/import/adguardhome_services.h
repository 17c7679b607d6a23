// Blocked services of AdGuard Home, and the weekly times at which they are not blocked.
#pragma once

#include <string>
#include <vector>

#include "tools/import/blocker_model.h"
#include "tools/import/policy_tree.h"

namespace steer::importing {

// `value`: blocked_services, of version 22 or older a list. `name`: of the client that has it,
// for notes.
std::vector<ServiceBlock> read_services(const Tree& value, const std::string& name,
                                        std::vector<Note>& notes);

}  // namespace steer::importing
