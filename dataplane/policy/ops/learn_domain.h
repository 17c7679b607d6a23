// `learn_domain`: sends names of queries to control, which adds them to a dynamic_domain_set
// (policy/learn_domain.h).
#pragma once

#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::enter_learn> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept {
        if (w.snapshot().learners[i.operand].before) learn(w, i.operand);
        w.enter();
        return std::nullopt;
    }
    static Left leave(LiveRun& w, const Instruction& i) noexcept {
        if (!w.snapshot().learners[i.operand].before) learn(w, i.operand);
        return Left::passed;
    }

  private:
    static void learn(LiveRun& w, std::uint32_t learner) noexcept;
};

}  // namespace steer
