// Settings that only a start can take up: ports, memory, tables, addresses to listen on, rights.
#pragma once

#include <string>
#include <vector>

#include "control/build/build.h"
#include "control/config/settings.h"

namespace steer {

// Those that differ from the ones that the daemon was started with, as they are called in the configuration:
// "dataplane.workers", "udp_server on :5353".
std::vector<std::string> need_restart(const config::Settings& started_with,
                                      const config::Settings& now);
std::vector<std::string> need_restart(const std::vector<build::Listener>& started_with,
                                      const std::vector<build::Listener>& now);

}  // namespace steer
