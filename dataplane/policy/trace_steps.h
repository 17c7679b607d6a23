// Finds the effect of an instruction on a traced query: compares the query before and after it.
#pragma once

#include <cstdint>

#include "dataplane/policy/query_context.h"

namespace steer {

// Whether a trace shows the instruction. (A later check of the answer by an ad list is not an event
// yet.)
constexpr bool is_traced(Op op) {
    return op != Op::watch_targets;
}

class StepWatch {
  public:
    explicit StepWatch(const QueryContext& c) noexcept;
    // Notes the instruction that the constructor saw at the program counter. `flags`: more
    // trace_flags. `is_step`: false for changes between instructions, such as an upstream's answer.
    void note(const QueryContext& c, Now now, unsigned flags, bool is_step) const noexcept;

  private:
    void note_wrappers(const QueryContext& c, Now now) const noexcept;
    void note_lists(const QueryContext& c, Now now) const noexcept;
    void note_cache(const QueryContext& c, Now now) const noexcept;
    void note_response(const QueryContext& c, Now now) const noexcept;

    ProgramState before_;
    const dns::Answer* answer_;
    const cache::Entry *replay_, *stale_;
    std::uint16_t refresh_pc_;
    std::uint8_t rcode_ = 0;
    std::uint16_t addresses_ = 0;
    bool was_stale_ = false;
};

// Notes the present question in the trace.
void note_question(const QueryContext& c, Now now) noexcept;

}  // namespace steer
