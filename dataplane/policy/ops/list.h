// Address lists: claim the response's addresses, at the end of their wrapper or at once.
#pragma once

#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::enter_list> {
    static MaybeStep run(auto& w, const Instruction& /*i*/) noexcept {
        w.enter();
        return std::nullopt;
    }
    static Left leave(auto& w, const Instruction& i) noexcept {
        w.claim(static_cast<std::uint8_t>(i.operand));
        return Left::passed;
    }
};

template <>
struct Body<Op::claim_list> {
    static MaybeStep run(auto& w, const Instruction& i) noexcept {
        w.claim(static_cast<std::uint8_t>(i.operand));
        return w.next();
    }
};

}  // namespace steer
