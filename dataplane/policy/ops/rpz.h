// `rpz`: acts on who asks for what, or lets the rest answer and acts on that (answer/rpz.h).
//
// Where it acts the program ends, as behind an ad list; PASSTHRU lets it go on. Another name is asked for by the rest of
// its sequence, at once or when the answer is known; what that brings is not looked at again. What it answers by itself no
// cache keeps: it may be for this client alone, and zones change.
#pragma once

#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::enter_rpz> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    static Left leave(LiveRun& w, const Instruction& i) noexcept;
};

}  // namespace steer
