// A trace (dataplane/policy/trace.h) that has ended, as a copy of the worker's buffer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dataplane/policy/trace.h"

namespace steer {

struct TraceCopy {
    struct Event {
        TraceEvent head;
        std::vector<std::uint8_t> payload;
    };
    TraceHead head{};
    std::vector<Event> events;

    [[nodiscard]] std::span<const std::uint8_t> name() const {
        return {head.name.data(), head.name_len};
    }
    // The event of that kind that came last; nullptr: none.
    [[nodiscard]] const Event* last(TraceWhat what) const;
};

// Reads the buffer, which stays the caller's.
TraceCopy copy_trace(const Buffer& buffer);

// The verdict or outcome of its end, as in metrics; "lost" if nothing ended it.
std::string end_label(const TraceCopy& trace);

// Addresses of an event `answer`.
std::vector<IpAddress> addresses_of(const TraceCopy::Event& answer);

}  // namespace steer
