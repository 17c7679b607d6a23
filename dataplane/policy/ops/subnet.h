// Wrappers that change other parts of the question than its name: the client subnet (`ecs_handler`)
// and options to pass on (`forward_edns0opt`).
#pragma once

#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::enter_ecs> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    static Left leave(LiveRun& w, const Instruction& i) noexcept;
};

template <>
struct Body<Op::enter_options> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept {
        w.enter_rewrite(static_cast<std::uint16_t>(Rewrites::kFirstOptions + i.operand));
        return std::nullopt;
    }
    static Left leave(LiveRun& w, const Instruction& i) noexcept;
};

}  // namespace steer
