// A query on its way through the program, live or as a hit in a guarded cache: what both modes have in common, for the
// bodies of operations (ops/).
#pragma once

#include <cstdint>

#include "dataplane/base/clock.h"
#include "dataplane/policy/interpreter.h"
#include "dataplane/policy/worker_context.h"

namespace steer {

class QueryWalk {
  public:
    QueryWalk(WorkerContext& of_worker, QueryContext& query, Now time)
        : worker(of_worker), c(query), now(time) {}

    // NOLINTBEGIN(cppcoreguidelines-avoid-const-or-ref-data-members): of one call
    WorkerContext& worker;
    QueryContext& c;
    const Now now;
    // NOLINTEND(cppcoreguidelines-avoid-const-or-ref-data-members)

    [[nodiscard]] const Snapshot& snapshot() const { return c.snapshot; }
    [[nodiscard]] ProgramState& state() { return c.state; }
    [[nodiscard]] std::uint16_t& pc() { return c.state.pc; }
    [[nodiscard]] std::uint64_t& marks() { return c.state.marks; }
    [[nodiscard]] const matchers::TagBits& tags() { return worker.tags_of(c, now); }
    [[nodiscard]] bool has_response() const { return static_cast<bool>(c.response); }
    [[nodiscard]] matchers::NameMatcher::Scratch& scratch() {
        return c.snapshot.scratches[worker.number];
    }

    // What tests ask that takes more than a look.
    [[nodiscard]] bool has_cname_in(const matchers::TagBits& mask) const noexcept;
    [[nodiscard]] bool text_holds(const TextMatch& match) const noexcept;
    [[nodiscard]] bool takes_token(std::uint32_t limiter) const noexcept;

    // A body goes on with the next instruction.
    MaybeStep next() noexcept {
        ++pc();
        return std::nullopt;
    }
    // Enters the wrapper at the program counter.
    void enter() noexcept;
    [[nodiscard]] unsigned depth() const { return c.state.depth; }
    [[nodiscard]] const Instruction& innermost() const {
        return c.snapshot.program[c.state.wrappers[c.state.depth - 1U]];
    }
    // The innermost wrapper, which is left; while it is, depth() is its place in ProgramState::wrappers.
    const Instruction& pop() noexcept {
        --c.state.depth;
        return c.snapshot.program[c.state.wrappers[c.state.depth]];
    }

    // The response that is there goes, and with it its claims.
    void drop_response() noexcept;
    // Claims the addresses that are in the answer now (NOERROR only) for this list of the snapshot.
    void claim(std::uint8_t list) noexcept;

    // The wrapper that is entered next asks another question (question.h); what belongs to the one before is forgotten.
    void enter_rewrite(std::uint16_t word) noexcept;
    // Takes the last of the rewrites off; what answered the question under it answers the one before.
    void pop_rewrite() noexcept;
    // After the name in force changed.
    void question_changed() noexcept;
};

}  // namespace steer
