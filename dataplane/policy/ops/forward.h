// `forward`: queries an upstream group, or uses a cached answer instead.
#pragma once

#include "dataplane/policy/hit_walk.h"
#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::forward> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    static MaybeStep run(HitWalk& w, const Instruction& i) noexcept {
        w.give_hit();
        return w.next_or_stop(i);
    }
};

}  // namespace steer
