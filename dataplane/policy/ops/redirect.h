// Wrappers that change the name: `redirect`, and dns64 for the IPv4 name in an IPv6 one.
#pragma once

#include "dataplane/policy/hit_walk.h"
#include "dataplane/policy/live_run.h"

namespace steer {

// Turns the answer for the new name into one for the earlier name. For all wrappers that change the
// name.
void leave_renamed(LiveRun& w) noexcept;

// On a hit the answer stays unchanged; only the earlier name is restored.
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
