// Rules that people add while the daemon serves (answer/name_rules.h): names that they block, and
// what they allow of the names that lists block.
#pragma once

#include "dataplane/policy/hit_walk.h"
#include "dataplane/policy/live_run.h"

namespace steer {

// Whether a rule allows the client's question, so that the blocking instruction at the program
// counter is passed. `plugin`, `list`: list_id() of what would block, or 0; `is_legal`: of the list.
// Notes what it found, and keeps an answer for some clients out of caches.
bool pass_by_rule(LiveRun& w, std::uint64_t plugin = 0, std::uint64_t list = 0,
                  bool is_legal = false) noexcept;

template <>
struct Body<Op::rules> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    static MaybeStep run(auto& w, const Instruction& /*i*/) noexcept { return w.next(); }
};

template <>
struct Body<Op::pass_allowed> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept {
        if (!pass_by_rule(w)) return w.next();
        w.pc() = i.target;
        return std::nullopt;
    }
};

template <>
struct Body<Op::allow> {
    static MaybeStep run(LiveRun& w, const Instruction& /*i*/) noexcept {
        w.state().note_passed(true);
        return w.next();
    }
    static MaybeStep run(auto& w, const Instruction& /*i*/) noexcept {
        w.allow();
        return w.next();
    }
};

}  // namespace steer
