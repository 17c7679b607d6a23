// The commands of the control socket, one row of a table each.
#pragma once

#include <string>

#include "tools/rossim/control.h"

namespace rossim {

// Carries out "[@ROUTER] COMMAND ..."; throws std::runtime_error with a sentence.
std::string run_control_line(Hosts& hosts, const std::string& line);

}  // namespace rossim
