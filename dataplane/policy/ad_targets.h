// Ad lists with `cname`: the names that an answer points to (CNAME, TargetName of HTTPS and SVCB)
// are checked like the question's name.
//
// If an ad list lets a question pass, it sets its bit in ProgramState::marks (Op::watch_targets),
// unless an exception or `allow` covers the name. The answer is checked after the last cache and
// redirect around it have been left. Caches keep the upstream's answer, because other clients use
// other ad lists. A denied answer ends the program, as a denied name does.
//
// An entry remembers whether any ad list of its generation denies its answer (entry_words.h). If
// none does, its hits are plain and cost nothing more. Otherwise, and for entries of older
// generations, the program runs.
#pragma once

#include <cstdint>

#include "dataplane/policy/live_run.h"

namespace steer {

// AdList::watch of all ad lists that deny a name in the response, even if they do not check this
// query. The response remembers it.
[[nodiscard]] std::uint64_t ads_pointed_to(QueryWalk& w) noexcept;

// As LiveRun::deny_targets(), for a query with a response and an ad list that checks it.
bool deny_by_targets(LiveRun& w) noexcept;

}  // namespace steer
