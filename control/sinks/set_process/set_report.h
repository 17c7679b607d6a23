// Reports about a set: its state and counters, its rows, and log lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "control/sinks/set_process/kernel_set.h"

namespace steer::sets {

enum class Level : std::uint8_t { info, warning };

// One row defines the field, the metric and its text.
#define STEER_SET_COUNTERS(X)                                                     \
    X(added, "added", "elements added to the set, including renewals")            \
    X(failed, "failed", "elements that the kernel rejected, including retries")   \
    X(restored, "restored", "times that all elements were restored after a loss") \
    X(full, "full", "claims dropped: the set has `max_elements` elements")        \
    X(removed, "removed", "routes removed after their lease")                     \
    X(adopted, "adopted", "routes of an earlier process that were kept")          \
    X(damped, "damped", "routes kept longer, because they were removed a short time before")

struct SetCounters {
#define STEER_SET_COUNTER_FIELD(field, label, text) std::uint64_t field = 0;
    STEER_SET_COUNTERS(STEER_SET_COUNTER_FIELD)
#undef STEER_SET_COUNTER_FIELD
};

struct SetStatus {
    SetName set;
    bool ready = false;
    SetAbility ability;
    std::string trouble;      // of the last try; empty: none
    std::size_t claims = 0;   // elements that must be in it
    std::size_t pending = 0;  // of them, those not written yet
    SetCounters counters;
};

// A row that is in a set now.
struct Installed {
    ListId list;
    IpAddress address;
    std::uint32_t until_s;
};

}  // namespace steer::sets
