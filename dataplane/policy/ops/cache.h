// `cache`: a query takes what it has, fresh or stale, and it keeps what the query gets.
#pragma once

#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::enter_cache> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    static Left leave(LiveRun& w, const Instruction& i) noexcept;
};

// The stale (or meanwhile fresh) entry of the innermost cache that was entered and has one; nullptr: none.
struct StaleEntry {
    const cache::Entry* entry = nullptr;
    const StaleTerms* terms = nullptr;
    unsigned level = 0;  // rewrites around that cache
};
[[nodiscard]] StaleEntry find_stale(const LiveRun& w) noexcept;

}  // namespace steer
