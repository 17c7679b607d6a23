// What commands that an operator started say and ask at the terminal: `steerctl setup`, `steerctl doctor`.
#pragma once

#include <string>
#include <vector>

#include "matchers/exit_codes.h"
#include "matchers/result.h"

namespace steer {

// A line on standard error, as safe text. kExitRejected.
ExitCode refuse(const std::string& sentence);
// Errors of a configuration, a line each, as safe text.
void print_errors(const std::vector<Error>& errors);
// Whether the operator answers yes; an end of input is no.
bool agree(const std::string& question);

}  // namespace steer
