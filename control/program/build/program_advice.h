// Warnings about what a compiled program does with queries. Examples: an upstream query although
// there is an answer; a decision by client that a cache keeps for all clients. Jumps, gotos and
// nested sequences are included, because they are compiled in place.
//
// Cost: one pass over the program, and a walk from each cache, forward and black_hole; at most
// kMaxSteps in total.
#pragma once

#include <vector>

#include "control/config/settings.h"
#include "dataplane/policy/snapshot.h"
#include "matchers/result.h"

namespace steer::build {

// `makers`: the plugin of each instruction, or kNoMaker. `snapshot` must have its source.
inline constexpr config::PluginIndex kNoMaker = static_cast<config::PluginIndex>(-1);
std::vector<Error> program_advice(const config::Settings& settings, const Snapshot& snapshot,
                                  const std::vector<config::PluginIndex>& makers);

}  // namespace steer::build
