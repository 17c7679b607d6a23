// Reports about a set: its state and counters, its rows, and log lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "control/sets/kernel_set.h"

namespace steer::sets {

enum class Level : std::uint8_t { info, warning };

// One row defines the field, the metric and its text.
#define STEER_SET_COUNTERS(X)                                                               \
    X(added, "added", "elements that were put into the set, renewals included")             \
    X(failed, "failed", "elements that the kernel refused, each time that they were tried") \
    X(restored, "restored", "times that the set had lost its elements and got them again")  \
    X(full, "full", "claims that were dropped because max_elements were reached")

struct SetCounters {
#define STEER_SET_COUNTER_FIELD(field, label, text) std::uint64_t field = 0;
    STEER_SET_COUNTERS(STEER_SET_COUNTER_FIELD)
#undef STEER_SET_COUNTER_FIELD
};

struct SetStatus {
    SetName set;
    bool ready = false;
    SetAbility ability;
    std::string trouble;     // of the last try; empty: none
    std::size_t claims = 0;  // elements that must be in it
    std::size_t owed = 0;    // of them, those not written yet
    SetCounters counters;
};

// A row that is in a set now.
struct Installed {
    ListId list;
    IpAddress address;
    std::uint32_t until_s;
};

}  // namespace steer::sets
