// Reports about a set: its state and counters, its rows, and log lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "control/sinks/set_process/kernel_set.h"
#include "matchers/counter_table.h"
#include "routeros/claim_book.h"

namespace steer::sets {

enum class Level : std::uint8_t { info, warning };

//    name, what was counted
#define STEER_SET_COUNTERS(X)                                                         \
    X(added, "elements added to the set, including renewals")                         \
    X(failed, "elements that the kernel rejected, including retries")                 \
    X(restored, "times that all elements were restored after a loss")                 \
    X(full, "claims dropped: the set has `max_elements` elements")                    \
    X(removed, "routes removed after their lease")                                    \
    X(adopted, "routes of an earlier process that were kept")                         \
    X(damped, "routes kept longer, because they were removed a short time before")    \
    X(over_share, "claims dropped: name, domain or client used its share of the set") \
    X(evicted, "elements evicted from a full set for others")

STEER_COUNTER_STRUCT(SetCounters, kSetCounters, STEER_SET_COUNTERS);

struct SetStatus {
    SetName set;
    bool ready = false;
    SetAbility ability;
    std::string error;        // of the last try; empty: none
    std::size_t claims = 0;   // elements that must be in it
    std::size_t pending = 0;  // of these, not written yet
    SetCounters counters;
};

// An address of a list, and until when (CLOCK_BOOTTIME, seconds): claimed, or in a set now.
struct Installed {
    ListId list;
    IpAddress address;
    std::uint32_t until_s;
};

// The answer that made a claim. For messages only.
struct ClaimOrigin {
    std::string name{};                 // as text
    std::optional<IpAddress> client{};  // no value: a forwarder
};

// A claim, and whose share it uses. Of a list without shares: without owner and origin.
struct ClaimRow {
    Installed what;
    routeros::Holders holders{};
    ClaimOrigin origin{};
};

// A claim that is not in its set, and not soon. Without a reason: the kernel rejects it.
struct RefusedRow {
    ClaimRow claim;
    std::optional<routeros::RefusedClaim> why{};
};

}  // namespace steer::sets
