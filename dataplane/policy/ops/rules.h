// Rules that people add while the daemon serves (answer/name_rules.h): names that they block, and
// what they allow of the names that lists block.
#pragma once

#include "dataplane/policy/hit_walk.h"
#include "dataplane/policy/live_run.h"

namespace steer {

// The rule that allows the client's question, so that what would block is passed; nullptr: none.
// `plugin`, `list`: list_id() of what would block, or 0; `is_legal`: of the list.
const NameRule* rule_that_allows(const LiveRun& w, std::uint64_t plugin, std::uint64_t list,
                                 bool is_legal) noexcept;
// Notes that it did, and keeps an answer for some clients out of caches.
void note_pass(LiveRun& w, const NameRule& rule) noexcept;
// Finds it and notes that. Whether there is one.
bool pass_by_rule(LiveRun& w, std::uint64_t plugin = 0, std::uint64_t list = 0,
                  bool is_legal = false) noexcept;

// Whether a rule allows the question to all clients now, so that a cache may have its answer.
bool a_rule_allows_all(const LiveRun& w) noexcept;

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
