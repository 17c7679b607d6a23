// Groups one client's recorded queries for a person who helps that client: asked, blocked, failed,
// slow and steered. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "matchers/prefix/ip_address.h"

namespace steer::support {

inline constexpr std::size_t kMostGroups = 50;     // of each section
inline constexpr std::size_t kMostAddresses = 64;  // whose rows are looked up
inline constexpr std::int64_t kSlowUs = 500'000;   // from here on, people notice

struct Sheet {
    // {"queries", "complete", "read_from_us" unless complete, "asked", "blocked", "failed", "slow", "steered"}. A section has
    // {"name", "type", "queries", "last_us", ...}, the newest first; `asked` has the most frequent
    // ones first.
    boost::json::object json;
    // Of steered answers; then of others, which an earlier answer may have claimed. The newest
    // first, each once.
    std::vector<IpAddress> addresses;
    std::size_t steered_addresses = 0;  // the first ones of `addresses`
};

// `history`: the result of read_history(), the newest first.
Sheet sheet_of(const boost::json::value& history);

// For people, of Router::row_state().
std::string_view words_of_row(std::string_view state);

}  // namespace steer::support
