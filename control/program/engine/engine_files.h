// Which files an engine and its check may open (Landlock).
#pragma once

#include <string>

#include "control/host/process/file_rules.h"
#include "control/program/engine/instance.h"

namespace steer::recursion {

// Reads its libraries, the system's certificates, zones and settings of names, all below
// /var/lib/unbound, and the folders of the files that `how` names. Writes in its own folder, and in
// those that an operator made below /var/lib/unbound.
FileRules rules_for(const EngineStart& how);

// Whether processes have such rules: "on", or "off: " and why.
std::string file_rules_state();
// `control.landlock` of the start, or of a check: the first call decides.
void use_file_rules(bool are_wanted);

}  // namespace steer::recursion
