// Reports about a set: its state and counters, its rows, and log lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "control/sinks/set_process/kernel_set.h"
#include "matchers/counter_table.h"

namespace steer::sets {

enum class Level : std::uint8_t { info, warning };

//    name, what was counted
#define STEER_SET_COUNTERS(X)                                         \
    X(added, "elements added to the set, including renewals")         \
    X(failed, "elements that the kernel rejected, including retries") \
    X(restored, "times that all elements were restored after a loss") \
    X(full, "claims dropped: the set has `max_elements` elements")    \
    X(removed, "routes removed after their lease")                    \
    X(adopted, "routes of an earlier process that were kept")         \
    X(damped, "routes kept longer, because they were removed a short time before")

STEER_COUNTER_STRUCT(SetCounters, kSetCounters, STEER_SET_COUNTERS);

struct SetStatus {
    SetName set;
    bool ready = false;
    SetAbility ability;
    std::string trouble;      // of the last try; empty: none
    std::size_t claims = 0;   // elements that must be in it
    std::size_t pending = 0;  // of these, not written yet
    SetCounters counters;
};

// A row that is in a set now.
struct Installed {
    ListId list;
    IpAddress address;
    std::uint32_t until_s;
};

}  // namespace steer::sets
