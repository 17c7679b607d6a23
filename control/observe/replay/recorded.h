// Reads recorded queries from the database of a query_recorder; merges equal ones.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "control/observe/replay/replayed_query.h"
#include "matchers/result.h"

namespace steer::replay {

inline constexpr std::chrono::seconds kReadPatience{10};

struct Recorded {
    std::vector<ReplayedQuery> queries;  // the most frequent first
    std::uint64_t sum = 0;               // of their `queries`
    std::uint64_t unreadable = 0;        // malformed queries, which have no name
    std::int64_t from_us = 0;            // time of the oldest one that was read; 0: none
    bool is_complete = true;             // false: older queries of that time were not read
};

struct RecordedSpan {
    std::int64_t from_us = 0, to_us = INT64_MAX;  // to_us: not included
    unsigned mask4 = 32, mask6 = 128;             // bits of addresses that the recorder keeps
};
// Newest first. Ends after kReadPatience, with kMostDistinct different queries, or when `stop` is
// true.
Result<Recorded> read_recorded(const std::string& path, const RecordedSpan& span,
                               const std::atomic<bool>& stop);

}  // namespace steer::replay
