// What `--check` says about the descriptors of a configuration's connections.
#pragma once

#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/program/build/build.h"
#include "matchers/result.h"

namespace steer::machine {

// A warning if the limit of the daemon that runs with this control socket, else that of the unit,
// is too small. Nothing if neither is known: the limit of the caller's shell is another one. Files
// are read below `root` ("": those of this machine).
[[nodiscard]] std::vector<Error> connection_advice(const config::Settings& settings,
                                                   const build::Channels& channels,
                                                   const std::string& root = {});

}  // namespace steer::machine
