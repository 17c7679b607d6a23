// `cache`: answers a query from the cache, fresh or stale, and stores the query's response.
#pragma once

#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::enter_cache> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    static Left leave(LiveRun& w, const Instruction& i) noexcept;
};

// The stale (or now fresh) entry of the innermost entered cache that has one; nullptr if there is
// none.
struct StaleEntry {
    const cache::Entry* entry = nullptr;
    const StaleTerms* terms = nullptr;
    unsigned level = 0;  // number of rewrites around that cache
};
[[nodiscard]] StaleEntry find_stale(const LiveRun& w) noexcept;

}  // namespace steer
