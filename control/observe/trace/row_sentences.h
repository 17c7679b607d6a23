// The commands that were sent to routers for an answer's addresses, and when each was acknowledged.
#pragma once

#include <boost/json/array.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "routeros/trace.h"

namespace steer {

struct WantedRows {
    std::vector<std::string> addresses;  // of the answer
    std::vector<std::string> lists;      // tags
    std::uint64_t began_ms = 0;          // beginning of the trace; `at_ms` counts from it
};

// Those of `sentences` that name one of the addresses in one of the lists; the newest
// kMaxSentences: [{"router", "serial", "address", "list", "at_ms", "words", and when acknowledged
// "took_ms", "reply"}]. at_ms is negative for rows of an earlier answer.
// for rows that an earlier answer brought.
inline constexpr std::size_t kMaxSentences = 16;
boost::json::array row_sentences(const std::string& router,
                                 const std::vector<routeros::TracedSentence>& sentences,
                                 const WantedRows& wanted);

}  // namespace steer
