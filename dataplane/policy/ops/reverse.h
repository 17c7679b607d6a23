// `reverse_lookup`: stores the names of addresses in answers, and answers PTR queries with them.
#pragma once

#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::enter_reverse> {
    static MaybeStep run(auto& w, const Instruction& /*i*/) noexcept {
        w.enter();
        return std::nullopt;
    }
    template <class Walk>
    static Left leave(Walk& w, const Instruction& i) noexcept {
        if constexpr (Walk::kMode == Mode::live) learn(w, w.snapshot().reverse[i.operand]);
        return Left::passed;
    }

  private:
    static void learn(LiveRun& w, const ReverseLookup& reverse) noexcept;
};

template <>
struct Body<Op::answer_pointer> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
};

}  // namespace steer
