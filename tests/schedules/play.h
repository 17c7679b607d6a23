// Plays a schedule: clients ask, engines write, things go wrong; under one fake clock, from event to
// event.
//
// What it leaves are facts for the judge (tests/support/truth): the router's journal with who
// changed what, the answers that left with how long their addresses may be used, and the times in
// which a row may be away. It judges nothing itself but the engine's manners: everybody who waits is
// notified exactly once, sentences for the operator are few, and no engine spins.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "schedules/schedule.h"

namespace steer::schedules {

struct Played {
    std::string journal, answers;  // as tests/support/truth reads them; a change by a person
                                   // has "by":"human"
    std::string facts;             // JSON: policies, tags, windows, the router's rows at the end
    std::string story;             // what happened, a line each, with the time since the start
    std::vector<std::string> complaints;
    std::size_t questions = 0, waited = 0, sentences = 0;
};

// `without`: faults (their places in the schedule) that do not happen.
Played play(const Schedule& schedule, const std::set<std::size_t>& without);

}  // namespace steer::schedules
