// Sends a report to the running daemon over its control socket: the method `doctor.report`.
#pragma once

#include <cstdint>
#include <string>

#include "control/operator/doctor/watch.h"

namespace steer::doctor {

struct WatchState {
    std::uint64_t interval_s = 0;  // until the next one
    bool is_nat64_dead = false;    // after several probes in a row
};
// Blocks for at most 5 s. Returns an empty text if the daemon accepted the report, else the reason.
std::string tell_daemon(const std::string& socket, const Round& round, const WatchState& state);

}  // namespace steer::doctor
