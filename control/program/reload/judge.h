// Decides whether a configuration is valid on this machine. `--check` and a start call the same
// function, so they never disagree. Opens and changes nothing. A start makes further checks after
// it (ports, CPUs, privileges, addresses to listen on).
#pragma once

#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/program/build/build.h"
#include "control/program/build/image_folder.h"
#include "matchers/result.h"

namespace steer {

// As build(), plus errors that depend on this machine: not enough memory, caches that do not fit,
// unusable certificates. `images` may be nullptr; its errors are warnings. Takes as long as
// build().
build::Built judge(const config::Settings& settings, build::Registry& registry,
                   build::ImageFolder* images = nullptr);

// Warnings about risky settings: a password or private key that every user of this machine can
// read, or a router's API without encryption over a network. Only for `--check`, because a start
// would repeat them every time.
std::vector<Error> advice(const config::Settings& settings);

// Settings that need a restart: ports, memory, tables, addresses to listen on, privileges.

// The names of settings that differ from those at the start: "dataplane.workers", "udp_server on
// :5353".
std::vector<std::string> need_restart(const config::Settings& started_with,
                                      const config::Settings& now);
std::vector<std::string> need_restart(const std::vector<build::Listener>& started_with,
                                      const std::vector<build::Listener>& now);

}  // namespace steer
