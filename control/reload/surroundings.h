// What the build of a configuration must know of this host: its addresses and the networks that it is in.
#pragma once

#include "control/build/build.h"

namespace steer {

// Asks the kernel (getifaddrs) in the caller's network namespace. Addresses that the configuration gives to ports
// without a kernel side are added.
build::Surroundings look_around(const config::Settings& settings);

}  // namespace steer
