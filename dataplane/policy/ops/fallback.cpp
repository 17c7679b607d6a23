#include "dataplane/policy/ops/fallback.h"

#include <algorithm>

#include "dataplane/policy/branch.h"
#include "dataplane/policy/claim_lists.h"

namespace steer {
namespace {

// Uses the stale answer at once: no upstream is waited for.
void run_branches_stale(LiveRun& w, const FallbackTerms& terms) {
    for (unsigned which = 0; which < kMaxBranches; ++which) {
        QueryContext branch(w.snapshot(), w.c.query);
        begin_branch(w.c, which, branch);
        branch.stale = w.c.stale;
        branch.stale_ttl_s = w.c.stale_ttl_s;
        RTE_VERIFY(LiveRun(w.worker, branch, w.now).run() == Step::answered);  // no forward asks
        if (branch.response || branch.state.dropped) return adopt(w.c, branch);
        if (!terms.is_due(Branches::Is::without_answer, false)) return;
    }
}

}  // namespace

MaybeStep Body<Op::fallback>::run(LiveRun& w, const Instruction& i) noexcept {
    if (w.c.stale == nullptr) return Step::branches;
    run_branches_stale(w, w.snapshot().fallbacks[i.operand].terms);
    const bool is_over = w.state().dropped || (w.has_response() && i.short_circuit);
    return is_over ? w.stop() : w.next();
}

MaybeStep Body<Op::fallback>::run(HitWalk& w, const Instruction& i) noexcept {
    w.give_hit();
    const auto& units = w.snapshot().fallbacks[i.operand].lists;
    const cache::Entry& hit = w.hit();
    for (unsigned l = 0; l < hit.list_count; ++l) {
        const std::uint8_t list = w.snapshot().list_by_id[hit.lists[l]];
        if (std::find(units.begin(), units.end(), list) != units.end()) add_list(w.state(), list);
    }
    return w.next_or_stop(i);
}

}  // namespace steer
