// `fallback`: a primary and a secondary, run as branches (branches.h).
#pragma once

#include "dataplane/policy/hit_walk.h"
#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::fallback> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    // It is unknown which unit answered: the entry has its claims.
    static MaybeStep run(HitWalk& w, const Instruction& i) noexcept;
};

}  // namespace steer
