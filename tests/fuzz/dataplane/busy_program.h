// A snapshot of a configuration with what checks responses: caches of all kinds, lists, names that are inherited or
// redirected, other options and subnets, dns64, branches. By the suffix of the name another part of it is walked.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "dataplane/policy/snapshot.h"

namespace steer::test {

inline constexpr std::array<std::string_view, 6> kBusySuffixes{"stream.example", "held.example",
                                                               "six.example",    "old.example",
                                                               "four.example",   "plain.example"};

// For the Appliance: its upstream, at most two cache instances. Ends the process if it cannot be built.
std::unique_ptr<Snapshot> busy_program();

}  // namespace steer::test
