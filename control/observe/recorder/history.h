// Reads the database of a query_recorder: single queries, the most frequent keys, and sums by time.
//
// Each call has its own connection, so it neither waits for the writer nor delays it. After
// kPatience it returns what it has found. For a background thread.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/observe/recorder/sums.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/result.h"

namespace steer::recorder {

inline constexpr std::chrono::milliseconds kReadPatience{2'000};
inline constexpr std::size_t kMostRows = 10'000, kMostKeys = 1'000, kMostBuckets = 2'000;

struct HistoryFilter {
    struct Range {
        std::int64_t from_us = 0, to_us = INT64_MAX;  // to_us: not included
    };
    static constexpr std::size_t kMostRanges = 400;

    // All texts: empty: all.
    std::string name;      // lower case, presentation form
    std::string suffix;    // the same, and all names below it
    std::string contains;  // lower case; a part of the name
    std::optional<matchers::Prefix> client;
    // Whether a client is in a group of devices; called on the thread that reads. Empty: all.
    std::function<bool(const IpAddress&)> is_member;
    std::string end, upstream, decision, plugin;
    std::string list;         // a list's path, URL or zone, or its last part behind a slash
    std::string rule;         // a part of the line of the policy, without regard to case
    std::string type, rcode;  // mnemonics
    Range time;
    std::vector<Range> ranges;  // ascending parts of that time; empty: all of it
    // A cursor of the result before: only older ones, or the next newer ones.
    std::int64_t before_us = INT64_MAX;
    std::optional<std::int64_t> after_us;
    std::size_t limit = 100;
    std::chrono::milliseconds patience = kReadPatience;
    bool shows_decisions = true;  // false: without decision, plugin, list and rule
};
// {"queries": [{"time", "time_us", "client", ...}], "complete", "cut"}: newest first, with the
// fields of the JSON lines.
//
// complete: false if there may be more in this direction. cut: kReadPatience ended before the limit
// was reached. "next_us" is the `before_us` of older ones, and "back_us" the `after_us` of newer
// ones; each is missing if there are none. So an answer without queries can have a next one.
Result<boost::json::value> read_history(const std::string& path, const HistoryFilter& filter);

// One query for visit_history(). The texts are valid during the call.
struct SeenQuery {
    std::int64_t stands_for = 1;
    std::string_view client, name, decision, plugin, list;
};
struct Visited {
    std::int64_t from_us = 0;  // all queries from here on were visited
    bool is_complete = false;  // from the filter's begin on; false: the patience ended
};
// Calls visit() for all queries of the filter, the newest first; without `limit` and a cursor.
Result<Visited> visit_history(const std::string& path, const HistoryFilter& filter,
                              const std::function<void(const SeenQuery&)>& visit);

struct Span {
    std::int64_t from_s = 0, to_s = 0;  // to_s: not included
};
// {"from", "to", "bucket_seconds", "queries", "rows": [{"key", "queries", "share", "mean_us"}],
// "others"}. Sums by hour if the span is longer than kByMinute, by day if it is longer than
// kByHour;
// its ends are then rounded outward to hours or days (UTC).
inline constexpr std::int64_t kByMinute = std::int64_t{12} * 3600,
                              kByHour = std::int64_t{8} * 86'400;
Result<boost::json::value> read_top(const std::string& path, SumKind kind, Span span,
                                    std::size_t limit);

// {"from", "to", "bucket_seconds", "buckets": [{"start", "queries", "cached", "hit_ratio", "stale",
// "forwarded", "failed", "unanswered", "blocked", "mean_us", "p50_us", "p95_us", "p99_us"}]};
// without empty
// buckets. `step_s` is rounded up to minutes, hours or days, and so that there are at most
// kMostBuckets;
// 0: about 100 buckets.
Result<boost::json::value> read_series(const std::string& path, Span span, std::int64_t step_s);

// One name, client or similar: `key` as in the result of read_top().
struct SumKey {
    SumKind kind = SumKind::name;
    std::string key;
};
// The same for one key; "buckets": [{"start", "queries", "mean_us"}]. Minutes in which the key was
// not among the most frequent ones (Sums::kKept) are missing. Buckets of an upstream have "p50_us",
// "p95_us" and "p99_us", too, if their latency classes are known: older databases had none.
Result<boost::json::value> read_course(const std::string& path, const SumKey& of, Span span,
                                       std::int64_t step_s);

}  // namespace steer::recorder
