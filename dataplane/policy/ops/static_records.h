// Local names: static records, and names that an ad list denies.
#pragma once

#include "dataplane/policy/hit_walk.h"
#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::static_records> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    static MaybeStep run(HitWalk& w, const Instruction& i) noexcept;
    static Left leave(LiveRun& w, const Instruction& i) noexcept;
    // A hit does not enter static records.
    static Left leave(HitWalk& /*w*/, const Instruction& /*i*/) noexcept { return Left::passed; }
};

template <>
struct Body<Op::ad_list> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    // The first list that denies a name in these sets, `legal` ones before others; nullptr: none
    // does. Pauses, `allow` and rules of people end only the others, and rules that suspend the legal
    // ones only these. `counts`: each list that denies it has one match more.
    static const AdList::Part* denying_part(LiveRun& w, const AdList& list,
                                            const matchers::TagBits& sets, bool counts) noexcept;
    // Gives the answer of a name that this list denies, by the instruction at the program counter.
    static void deny(LiveRun& w, const AdList& list, const AdList::Part& part) noexcept;
    // A hit passes: a denied name would not have reached the cache.
    static MaybeStep run(HitWalk& w, const Instruction& i) noexcept {
        w.pc() = i.target;
        return std::nullopt;
    }
};

template <>
struct Body<Op::watch_targets> {
    static MaybeStep run(auto& w, const Instruction& i) noexcept {
        w.marks() |= w.snapshot().ad_lists[i.operand].watch;
        return w.next();
    }
};

}  // namespace steer
