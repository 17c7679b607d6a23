// What a sink reports: in `recorder.status`, and as metrics.
#pragma once

#include <cstdint>
#include <string>

namespace steer::recorder {

struct SinkStatus {
    std::string kind, place;    // "database", "json", "dnstap"; a path or an address
    std::uint64_t written = 0;  // queries; of dnstap messages
    std::uint64_t dropped = 0;  // the queue was full
    std::uint64_t failed = 0;   // could not be written or sent
    std::uint64_t bytes = 0;    // of the file; 0: none
    std::string trouble;        // empty: none
    bool is_well = true;
};

}  // namespace steer::recorder
