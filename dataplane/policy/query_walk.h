// A query that runs the program, live or as a hit in a guarded cache. These are the parts of both
// modes that the bodies of operations (ops/) use.
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

    // Facts for tests that need more work.
    [[nodiscard]] bool has_cname_in(const matchers::TagBits& mask) const noexcept;
    [[nodiscard]] bool text_holds(const TextMatch& match) const noexcept;
    [[nodiscard]] bool takes_token(std::uint32_t limiter) const noexcept;

    // Continues with the next instruction.
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
    // Removes the innermost wrapper and returns it; depth() is then its index in
    // ProgramState::wrappers.
    const Instruction& pop() noexcept {
        --c.state.depth;
        return c.snapshot.program[c.state.wrappers[c.state.depth]];
    }

    // Removes the response and its claims.
    void drop_response() noexcept;
    // Claims the answer's present addresses (NOERROR only) for this list of the snapshot.
    void claim(std::uint8_t list) noexcept;

    // Changes the question for the next wrapper (question.h) and removes facts about the old one.
    void enter_rewrite(std::uint16_t word) noexcept;
    // Removes the last rewrite. The answer then belongs to the earlier question.
    void pop_rewrite() noexcept;
    // Call it after the present name changed.
    void question_changed() noexcept;
};

}  // namespace steer
