// Which lists with `ready: any|all` cannot be written by enough of their sinks: the condition `routers` of /readyz.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "control/sinks/routers/claim_sink.h"

namespace steer {

// A sink counts as usable for this time after it was lost: a session that is made again must not move a route.
inline constexpr std::uint64_t kSinkGraceMs = 3'000;

// Why the appliance is not ready; empty: it is. `lists`: of all sinks (ClaimSink::needed).
std::string needed_lists_trouble(std::span<const NeededList> lists, std::uint64_t now_ms);

}  // namespace steer
