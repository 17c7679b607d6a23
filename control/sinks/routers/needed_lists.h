// Finds lists with `ready: any|all` that not enough of their sinks can write: the condition
// `routers` of /readyz.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "control/sinks/routers/claim_sink.h"

namespace steer {

// A sink counts as usable for this time after its loss: a renewed session must not change a route.
inline constexpr std::uint64_t kSinkGraceMs = 3'000;

// Why the appliance is not ready; empty: it is ready. `lists`: of all sinks (ClaimSink::needed).
std::string needed_lists_error(std::span<const NeededList> lists, std::uint64_t now_ms);

}  // namespace steer
