// `steerctl setup`, which starts steerdnsd with this option first: what this machine needs for a
// configuration.
#pragma once

#include <string_view>

#include "matchers/exit_codes.h"

namespace steer::machine {

inline constexpr std::string_view kSetupOption = "--setup-machine";

// `argv[0]` is that option. kExitFailed: a problem is left, or a command failed. kExitRejected: the
// configuration or the command line is wrong, or root is needed.
ExitCode run_setup(int argc, char** argv);

}  // namespace steer::machine
