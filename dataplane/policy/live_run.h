// A query that runs the program: the interpreter's live mode.
#pragma once

#include "dataplane/policy/query_walk.h"
#include "dataplane/policy/trace_steps.h"

namespace steer {

class LiveRun final : public QueryWalk {
  public:
    static constexpr Mode kMode = Mode::live;
    using QueryWalk::QueryWalk;

    // Runs from the program counter until there is a result.
    Step run() noexcept;
    Step go_on(MaybeStep end) noexcept { return end ? *end : run(); }
    // Calls `something` between two instructions, so that a trace shows it.
    template <class Do>
    MaybeStep seen(Do&& something) noexcept {
        if (!c.trace) [[likely]]
            return something();
        const StepWatch before(c);
        const MaybeStep end = something();
        before.note(c, now, 0, false);
        return end;
    }

    // Results of a body in addition to next(). This one: next(), or stop() for a short circuit.
    // stop(): the end, with all wrappers left.
    MaybeStep next_or_stop(const Instruction& i) noexcept {
        return i.short_circuit ? stop() : next();
    }
    MaybeStep stop() noexcept;
    // Ends the program and leaves all wrappers.
    Step finish() noexcept;

    // The number of wrappers that stay entered when an instance is left.
    static constexpr unsigned outside() { return 0; }

    // Sets the response: one of the snapshot (returns false if there is none, and does nothing), a
    // cached one, or an empty one.
    bool give(AnswerRef answer) noexcept;
    void give_kept(const cache::Entry& entry, std::uint32_t stale_ttl_s) noexcept;
    void give_empty(std::uint8_t rcode) noexcept;
    void give_buffer(Buffer* answer) noexcept;  // takes ownership
    // Gives a copy of an answer that another thread may free. Returns false, and does nothing,
    // without a buffer.
    bool give_copy(const dns::Answer& answer) noexcept;
    // Answers SERVFAIL, because an executor that changes the question cannot build its answer.
    void fail_rewrite() noexcept;
    // Sets the answer of an ad list, if one that checks this query denies a name in the response
    // (ad_targets.h). Returns false if nothing happened.
    bool deny_targets() noexcept {
        return (c.state.marks & c.snapshot.watch_bits) != 0 && c.response && deny_watched();
    }

  private:
    Step run_traced() noexcept;
    bool deny_watched() noexcept;
};

}  // namespace steer
