// Decides whether a configuration is valid on this machine. `--check` and a start both call it, so they never disagree.
// Opens and takes nothing. Checks that only a start can make (ports, CPUs, privileges, addresses to listen on)
// come after it.
#pragma once

#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/program/build/build.h"
#include "control/program/build/image_folder.h"
#include "matchers/result.h"

namespace steer {

// As build(), plus errors that depend on this machine: not enough memory, caches that do not fit, unusable
// certificates. `images` may be nullptr; its errors are warnings. As slow as build().
build::Built judge(const config::Settings& settings, build::Registry& registry,
                   build::ImageFolder* images = nullptr);

// Valid but unwise settings: a password or private key that every user of this machine can read, a router's API in clear
// text over a network. Only for `--check`: a start would repeat the warnings every time.
std::vector<Error> advice(const config::Settings& settings);

// Settings that need a restart: ports, memory, tables, addresses to listen on, privileges.

// The names of settings that differ from those at the start:
// "dataplane.workers", "udp_server on :5353".
std::vector<std::string> need_restart(const config::Settings& started_with,
                                      const config::Settings& now);
std::vector<std::string> need_restart(const std::vector<build::Listener>& started_with,
                                      const std::vector<build::Listener>& now);

}  // namespace steer
