// Wrappers inside of which another name is asked for: `redirect`, and the IPv4 name behind an IPv6 one (dns64).
#pragma once

#include "dataplane/policy/hit_walk.h"
#include "dataplane/policy/live_run.h"

namespace steer {

// What answered the other name becomes the answer to the one before. For all wrappers that change the name.
void leave_renamed(LiveRun& w) noexcept;

// A hit is told as it is: its walk goes back to the name before and makes nothing of the answer.
template <Op op>
struct Renames {
    static MaybeStep run(QueryWalk& w, const Instruction& i) noexcept;
    static Left leave(LiveRun& w, const Instruction& /*i*/) noexcept {
        leave_renamed(w);
        return Left::passed;
    }
    static Left leave(HitWalk& w, const Instruction& /*i*/) noexcept {
        w.pop_rewrite();
        w.question_changed();
        return Left::passed;
    }
};
template <>
struct Body<Op::enter_redirect> : Renames<Op::enter_redirect> {};
template <>
struct Body<Op::enter_pointer64> : Renames<Op::enter_pointer64> {};

}  // namespace steer
