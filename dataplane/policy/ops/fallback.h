// `fallback`: a primary and a secondary, run as branches (branches.h).
#pragma once

#include "dataplane/policy/hit_walk.h"
#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::fallback> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    // The entry does not say which unit answered, but it has the unit's claims.
    static MaybeStep run(HitWalk& w, const Instruction& i) noexcept;
};

}  // namespace steer
