// `rpz`: acts on the client and name of a query, or lets the rest answer and acts on the answer (answer/rpz.h).
//
// An action ends the program, as behind an ad list; PASSTHRU lets it continue. Another name is asked by running the rest
// of the sequence, at once or when the answer is known; its result is not checked again. No cache stores the answers of
// a zone: they may be for one client only, and zones change.
#pragma once

#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::enter_rpz> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    static Left leave(LiveRun& w, const Instruction& i) noexcept;
};

}  // namespace steer
