// Facts about this host for the build of a configuration: its addresses and networks.
#pragma once

#include "control/program/build/build.h"

namespace steer {

// Asks the kernel (getifaddrs) in the caller's network namespace. Addresses that the configuration gives to ports
// without a kernel side are added.
build::Surroundings look_around(const config::Settings& settings);

}  // namespace steer
