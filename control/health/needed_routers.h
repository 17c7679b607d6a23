// Which lists with `ready: any|all` have too few routers that can be written: the condition `routers` of /readyz.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "control/config/sink_settings.h"

namespace steer {

struct NeededList {
    std::string tag;
    config::ReadyRouters ready = config::ReadyRouters::off;
};

// A router, as its lists' readiness sees it.
struct NeededRouter {
    std::string name;
    bool is_away = true;       // answers do not wait for it: unreachable, or silent
    bool is_stopped = false;   // an operator paused it, or the bypass is on: no fault of the router
    bool was_reached = false;  // since the start
    std::uint64_t away_since_ms = 0;
    std::string trouble;              // the cause; may be empty
    std::vector<NeededList> lists{};  // with a `ready` other than off
};

// A router counts as usable for this time after it was lost: a session that is made again must not move a route.
inline constexpr std::uint64_t kRouterGraceMs = 3'000;

// Why the appliance is not ready; empty: it is.
std::string needed_routers_trouble(std::span<const NeededRouter> routers, std::uint64_t now_ms);

}  // namespace steer
