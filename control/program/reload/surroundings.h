// Facts about this host for the build of a configuration: its addresses and networks.
#pragma once

#include "control/program/build/build.h"

namespace steer {

// Queries the kernel (getifaddrs) in the caller's network namespace. Adds addresses of ports
// without an interface in the kernel, from the configuration.
build::Surroundings read_surroundings(const config::Settings& settings);

}  // namespace steer
