// Operations that move the program counter or end the program.
#pragma once

#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::mark> {
    static MaybeStep run(auto& w, const Instruction& i) noexcept {
        w.marks() |= w.snapshot().mark_masks[i.operand];
        return w.next();
    }
};

template <>
struct Body<Op::go_to> {
    static MaybeStep run(auto& w, const Instruction& i) noexcept {
        w.pc() = i.target;
        return std::nullopt;
    }
};

template <>
struct Body<Op::sequence_end> {
    template <class Walk>
    static MaybeStep run(Walk& w, const Instruction& i) noexcept {
        const Left left = leave_instance(w, i.instance, w.outside());
        if constexpr (Walk::kMode == Mode::live) {
            if (left == Left::renamed) return std::nullopt;
            if (left == Left::answered) return w.stop();
            const bool is_part = w.state().refresh || w.state().rest;  // ends with its wrapper
            if (is_part && w.depth() == 0) return w.finish();
        }
        return w.next();
    }
};

template <>
struct Body<Op::stop> {
    static MaybeStep run(auto& w, const Instruction& /*i*/) noexcept { return w.stop(); }
};

template <>
struct Body<Op::end> {
    static MaybeStep run(auto& w, const Instruction& /*i*/) noexcept { return w.stop(); }
};

template <>
struct Body<Op::sleep> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept {
        ++w.pc();
        if (w.c.stale != nullptr || i.operand == 0) return std::nullopt;  // has waited long enough
        w.c.sleep_ms = i.operand;
        return Step::sleeps;
    }
};

template <>
struct Body<Op::raise> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept {
        w.snapshot().tasks[i.operand]->raise();
        return w.next();
    }
};

}  // namespace steer
