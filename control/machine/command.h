// `steerctl setup`, which starts steerdnsd with this option first: what this machine needs for a configuration.
#pragma once

#include <string_view>

namespace steer::machine {

inline constexpr std::string_view kSetupOption = "--setup-machine";

// `argv[0]` is that option. Exit code: 0 in order, or done; 1 something must be done, or a command failed; 2 a
// configuration or command line that is wrong.
int run_setup(int argc, char** argv);

}  // namespace steer::machine
