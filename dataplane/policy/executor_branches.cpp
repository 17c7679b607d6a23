// What the executor does at the instructions that run branches (branches.h).
#include <rte_debug.h>

#include "dataplane/cache/admit.h"
#include "dataplane/policy/executor.h"

namespace steer {

using Is = Branches::Is;

NextOfBranches Executor::next_branch(const QueryContext& c, const Branches& b) noexcept {
    const Instruction& i = c.snapshot.program[c.state.pc];
    return next_of_fallback(b, c.snapshot.fallbacks[i.operand].always_standby);
}

std::optional<std::uint32_t> Executor::branch_time_ms(const QueryContext& c, const Branches& before,
                                                      const Branches& /*b*/) noexcept {
    if (before.is[0] != Is::not_begun) return std::nullopt;
    return c.snapshot.fallbacks[c.snapshot.program[c.state.pc].operand].threshold_ms;
}

void Executor::begin_branch(QueryContext& c, unsigned which, QueryContext& branch) noexcept {
    const Fallback& fallback = c.snapshot.fallbacks[c.snapshot.program[c.state.pc].operand];
    branch.qname_as_sent = c.qname_as_sent;
    branch.client = c.client;
    branch.client_port = c.client_port;
    branch.started_ms = c.started_ms;
    branch.state.pc = which == 0 ? fallback.primary : fallback.secondary;
    branch.state.unit = true;
    branch.state.marks = c.state.marks;
    branch.state.tag_set = c.state.tag_set;
    branch.state.ecs = c.state.ecs;
    branch.replay = std::exchange(c.replay, nullptr);
}

// A failure that a cache remembers is as good as one that was just met: the other one is asked.
Is Executor::end_of_branch(const QueryContext& branch) noexcept {
    if (branch.failed) return Is::failed;
    if (!branch.response) return Is::without_answer;
    const bool remembered = branch.response.kept_in() != Response::kNowhere;
    if (remembered && cache::is_failure(branch.response.answer())) return Is::failed;
    return Is::answered;
}

namespace {

void adopt(QueryContext& c, QueryContext& branch) {
    c.response.take(branch.response);
    c.state.lists = branch.state.lists;
    c.state.list_count = branch.state.list_count;
    c.state.list_base = {};
    c.state.marks |= branch.state.marks;
    c.state.ecs = c.state.ecs || branch.state.ecs;
}

}  // namespace

Step Executor::take_branch(QueryContext& c, QueryContext& branch, Now now) noexcept {
    adopt(c, branch);
    if (c.snapshot.program[c.state.pc].short_circuit) return stop(c, now);
    return skip_branches(c, now);
}

Step Executor::skip_branches(QueryContext& c, Now now) noexcept {
    ++c.state.pc;
    return run(c, now);
}

void Executor::run_branches_stale(QueryContext& c, Now now) noexcept {
    for (unsigned which = 0; which < kMostBranches; ++which) {
        QueryContext branch(c.snapshot, c.query);
        begin_branch(c, which, branch);
        branch.stale = c.stale;
        branch.stale_ttl_s = c.stale_ttl_s;
        RTE_VERIFY(run(branch, now) == Step::answered);  // no forward asks
        if (!branch.response) continue;
        adopt(c, branch);
        return;
    }
}

}  // namespace steer
