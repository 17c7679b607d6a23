// Settings that need a restart: ports, memory, tables, addresses to listen on, privileges.
#pragma once

#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/program/build/build.h"

namespace steer {

// The names of settings that differ from those at the start:
// "dataplane.workers", "udp_server on :5353".
std::vector<std::string> need_restart(const config::Settings& started_with,
                                      const config::Settings& now);
std::vector<std::string> need_restart(const std::vector<build::Listener>& started_with,
                                      const std::vector<build::Listener>& now);

}  // namespace steer
