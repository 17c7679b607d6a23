// Queries of a capture file, in the format of `steerctl replay`: one line each.
//
//   QUERIES CLIENT SERVER TYPE CLASS NAME [RCODE [WORD…]]
//
// QUERIES: how often this query was captured. SERVER: its destination address, at port 53. TYPE,
// CLASS and RCODE are numbers. The words are KnownAnswer::records. Without RCODE, no answer is
// known.
#pragma once

#include <string_view>

#include "control/observe/replay/recorded.h"
#include "matchers/result.h"

namespace steer::replay {

// The most frequent first. An Error names the line.
Result<Recorded> read_captured(std::string_view lines);

}  // namespace steer::replay
