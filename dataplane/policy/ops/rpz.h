// `rpz`: acts on the client and name of a query, or on the answer of the rest (answer/rpz.h).
//
// An action ends the program, as an ad list does; PASSTHRU lets it continue. To use another name,
// it runs the rest of the sequence for that name, at once or when the answer is known. That result
// is not checked again. No cache stores the answers of a zone: they may be for one client only, and
// zones change.
#pragma once

#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::enter_rpz> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    static Left leave(LiveRun& w, const Instruction& i) noexcept;
};

}  // namespace steer
