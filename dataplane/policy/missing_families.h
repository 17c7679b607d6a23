// Answers without the addresses of a family: for lists that do not hold it (`missing_family: nodata`) and for clients that
// prefer the other one.
#pragma once

#include "dataplane/policy/query_context.h"

namespace steer {

class QueryWalk;

// A cache around keeps the answer for others: the family is taken out when the answer leaves that cache.
[[nodiscard]] bool in_guarded_cache(const QueryContext& c) noexcept;
// What ProgramState::lacks_v4 and lacks_v6 asked for.
void answer_without_family(QueryWalk& w) noexcept;
// Takes the hints and additional addresses of these families out of an answer to SVCB or HTTPS.
void take_family_out(QueryWalk& w, bool v4, bool v6) noexcept;

}  // namespace steer
