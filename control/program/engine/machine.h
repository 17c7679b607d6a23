// What the engine needs of this machine: addresses to send from, a clock, the root's keys, and a way
// to the Internet. Main thread; each reads a few files or asks the kernel.
#pragma once

#include <chrono>
#include <string>

#include "control/program/engine/engine.h"
#include "matchers/result.h"

namespace steer::recursion {

// With the addresses of its interface, link-local ones left out. An Error: it has none now.
Result<config::Recursion> with_addresses(config::Recursion settings);

// What follows is empty if all is well; else what is wrong and what to do (Problem).

// Signatures are valid for a time only.
std::string clock_problem(std::chrono::sys_seconds now);
// `file` has the root's keys, as the engine keeps them.
std::string root_key_problem(const std::string& file, std::chrono::sys_seconds now);
// The machine has an IPv6 address, and no way out for it.
std::string ipv6_problem();

}  // namespace steer::recursion
