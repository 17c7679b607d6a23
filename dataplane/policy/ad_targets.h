// Ad lists with `cname`: the names that an answer points to (CNAME, TargetName of HTTPS and SVCB) are checked as the
// question's name was.
//
// An ad list that lets a question pass sets its bit in ProgramState::marks (Op::watch_targets), unless an exception or
// `allow` covers the name. The answer is checked where the last cache and redirect around it have been left: caches keep
// what the upstream said, because other clients are under other ad lists. A denied answer ends the program, as a denied name
// does.
//
// An entry remembers whether any ad list of its generation denies its answer (entry_words.h). Its hits are plain if none
// does, and cost nothing more. Otherwise, and for entries of older generations, the program runs.
#pragma once

#include <cstdint>

#include "dataplane/policy/live_run.h"

namespace steer {

// AdList::watch of all that deny a name that the response points to, whether or not they check this query. The response
// remembers it.
[[nodiscard]] std::uint64_t ads_pointed_to(QueryWalk& w) noexcept;

// LiveRun::deny_targets() for a query with a watching ad list and a response.
bool deny_by_targets(LiveRun& w) noexcept;

}  // namespace steer
