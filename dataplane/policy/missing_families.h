// Removes the addresses of a family from answers: for lists without that family (`missing_family:
// nodata`) and for clients that prefer the other one.
#pragma once

#include "dataplane/policy/query_context.h"

namespace steer {

class QueryWalk;

// Whether an outer cache keeps the complete answer. Then the family is removed when the answer
// leaves that cache.
[[nodiscard]] bool in_guarded_cache(const QueryContext& c) noexcept;
// Applies ProgramState::lacks_v4 and lacks_v6.
void answer_without_family(QueryWalk& w) noexcept;
// Removes the hints and additional addresses of these families from an answer to SVCB or HTTPS.
void take_family_out(QueryWalk& w, bool v4, bool v6) noexcept;

}  // namespace steer
