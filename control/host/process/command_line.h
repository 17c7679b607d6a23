// Messages and questions at the terminal, for commands that an operator starts: `steerctl setup`,
// `steerctl doctor`.
#pragma once

#include <string>
#include <vector>

#include "matchers/exit_codes.h"
#include "matchers/result.h"

namespace steer {

// Prints a line on standard error, as safe text. Returns kExitRejected.
ExitCode refuse(const std::string& sentence);
// Prints errors of a configuration, one line each, as safe text.
void print_errors(const std::vector<Error>& errors);
// Asks the question; returns whether the operator answers yes. An end of input means no.
bool agree(const std::string& question);

}  // namespace steer
