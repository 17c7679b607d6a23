// A query that runs the program: the interpreter's live mode.
#pragma once

#include "dataplane/policy/query_walk.h"

namespace steer {

class LiveRun final : public QueryWalk {
  public:
    static constexpr Mode kMode = Mode::live;
    using QueryWalk::QueryWalk;

    // From the program counter on, until it has come to something.
    Step run() noexcept;
    Step go_on(MaybeStep end) noexcept { return end ? *end : run(); }

    // What a body comes to besides next(): that, or the end of a short circuit; the end, all wrappers being left.
    MaybeStep next_or_stop(const Instruction& i) noexcept {
        return i.short_circuit ? stop() : next();
    }
    MaybeStep stop() noexcept;
    // The program is over, all wrappers are left.
    Step finish() noexcept;

    // Wrappers that leaving an instance leaves alone.
    static constexpr unsigned outside() { return 0; }

    // The response becomes that of the snapshot (false: there is none, nothing happened), what a cache kept, or empty.
    bool give(AnswerRef answer) noexcept;
    void give_kept(const cache::Entry& entry, std::uint32_t stale_ttl_s) noexcept;
    void give_empty(std::uint8_t rcode) noexcept;
    void give_buffer(Buffer* answer) noexcept;  // takes it over
    // SERVFAIL: the answer of an executor that changes the question cannot be made.
    void fail_rewrite() noexcept;
};

}  // namespace steer
