// A finished trace (dataplane/policy/trace.h), as a copy of the worker's buffer.
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
    // The last event of that kind; nullptr if there is none.
    [[nodiscard]] const Event* last(TraceWhat what) const;
};

// Copies the buffer; the caller keeps it.
TraceCopy copy_trace(const Buffer& buffer);

// The verdict or outcome at its end, as in metrics; "lost" if nothing ended it.
std::string end_label(const TraceCopy& trace);

// Addresses of an event `answer`.
std::vector<IpAddress> addresses_of(const TraceCopy::Event& answer);

}  // namespace steer
