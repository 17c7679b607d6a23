#include "dataplane/policy/branch.h"

#include <algorithm>
#include <utility>

#include "dataplane/policy/admit.h"
#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/facts.h"
#include "dataplane/policy/ops/dns64.h"

namespace steer {

using Is = Branches::Is;

namespace {

const Instruction& instruction_of(const QueryContext& c) {
    return c.snapshot.program[c.state.pc];
}

// Its branches are the rest of its sequence.
bool runs_rest(Op op) {
    return op == Op::enter_prefer || op == Op::enter_dns64;
}

const Instruction& first_wrapper(const QueryContext& branch) {
    return branch.snapshot.program[branch.state.wrappers[0]];
}

bool is_done(Is is) {
    return is != Is::not_begun && is != Is::running;
}

}  // namespace

NextOfBranches next_branch(const QueryContext& c, const Branches& b) noexcept {
    const Instruction& i = instruction_of(c);
    if (i.op == Op::enter_prefer) return next_of_prefer(b);
    if (i.op == Op::enter_dns64)
        return next_of_dns64(b, c.snapshot.dns64s[i.operand].translate_all);
    return next_of_fallback(b, c.snapshot.fallbacks[i.operand].terms);
}

std::optional<std::uint32_t> branch_time_ms(const QueryContext& c, const Branches& before,
                                            const Branches& b) noexcept {
    const Instruction& i = instruction_of(c);
    if (i.op == Op::enter_dns64) return std::nullopt;
    if (i.op == Op::enter_prefer) {
        if (is_done(before.is[0]) || !is_done(b.is[0])) return std::nullopt;
        return kProbeMs;
    }
    const Fallback& fallback = c.snapshot.fallbacks[i.operand];
    if (before.is[0] != Is::not_begun || !fallback.terms.on_timeout) return std::nullopt;
    return fallback.threshold_ms;
}

std::uint16_t branch_type(const QueryContext& c, unsigned which) noexcept {
    const Instruction& i = instruction_of(c);
    if (which == 1 && i.op == Op::enter_prefer) return c.snapshot.prefers[i.operand].wanted;
    if (which == 1 && i.op == Op::enter_dns64) return dns::kA;
    return c.query.qtype;
}

void begin_branch(QueryContext& c, unsigned which, QueryContext& branch) noexcept {
    branch.qname_as_sent = c.qname_as_sent;
    branch.client = c.client;
    branch.started_us = c.started_us;
    branch.options = c.options;
    branch.injected = c.injected;
    ProgramState& s = branch.state;
    s.unit = true;
    s.marks = c.state.marks;
    s.tag_set = c.state.tag_set;
    s.ecs = c.state.ecs;
    s.over_tcp = c.state.over_tcp;
    s.stays_here = c.state.stays_here;
    s.no_cache = c.state.no_cache;
    s.is_of_client = c.state.is_of_client;
    s.by_rule = c.state.by_rule;
    s.rewrites = c.state.rewrites;
    branch.rewrite_question();
    branch.replay = std::exchange(c.replay, nullptr);
    const Instruction& i = instruction_of(c);
    if (i.op == Op::enter_prefer && which != 0 && c.snapshot.prefers[i.operand].probe != 0) {
        s.probe = true;
        s.pc = c.snapshot.prefers[i.operand].probe;
        return;
    }
    if (runs_rest(i.op)) {
        s.rest = true;
        s.wrappers[s.depth++] = c.state.pc;
        s.pc = static_cast<std::uint16_t>(c.state.pc + 1);
        if (which != 0) return;  // the present answer is not one to the probe's question
        branch.response.take(c.response);
        s.answered_under = c.state.answered_under;
        s.lists = c.state.lists;
        s.list_count = c.state.list_count;
        s.lacks_v4 = c.state.lacks_v4;
        s.lacks_v6 = c.state.lacks_v6;
        s.made_by = c.state.made_by;
        forget_response(c.state);
        return;
    }
    const Fallback& fallback = c.snapshot.fallbacks[i.operand];
    s.pc = which == 0 ? fallback.primary : fallback.secondary;
}

bool is_probe(const QueryContext& branch) noexcept {
    if (branch.state.probe) return true;
    if (!branch.state.rest) return false;
    const Instruction& i = first_wrapper(branch);
    return i.op == Op::enter_prefer &&
           branch.query.qtype == branch.snapshot.prefers[i.operand].wanted;
}

bool has_wanted(const QueryContext& c) noexcept {
    return c.response && c.response.answer().rcode == dns::kNoError &&
           has_type(c.response.answer(), c.query.qtype);
}

// A cached failure counts like a new one: the other branch is asked.
Is end_of_branch(const QueryContext& branch) noexcept {
    if (branch.failed) return Is::failed;
    if (branch.state.dropped && !is_probe(branch) && !is_dns64_probe(branch))
        return Is::answered;  // without a response
    if (is_probe(branch)) return has_wanted(branch) ? Is::answered : Is::without_answer;
    if (branch.state.rest && first_wrapper(branch).op == Op::enter_dns64)
        return Body<Op::enter_dns64>::end_of_branch(
            branch, branch.snapshot.dns64s[first_wrapper(branch).operand]);
    if (branch.state.rest) return Is::answered;
    if (!branch.response) return Is::without_answer;
    const bool remembered = branch.response.kept_in() != Response::kNowhere;
    if (remembered && is_failure(branch.response.answer())) return Is::failed;
    return Is::answered;
}

void adopt(QueryContext& c, QueryContext& branch) noexcept {
    c.response.take(branch.response);
    // It may have passed on an answer to an outer question.
    const auto here = static_cast<std::uint8_t>(c.state.rewrites.count());
    c.state.answered_under = std::min(branch.state.answered_under, here);
    c.state.lists = branch.state.lists;
    c.state.list_count = branch.state.list_count;
    c.state.list_base = {};
    c.state.made_by = branch.state.made_by;
    if (branch.state.passed_by != ProgramState::kNowhere && !c.state.is_allowed) {
        c.state.passed_by = branch.state.passed_by;
        c.state.is_allowed = branch.state.is_allowed;
    }
    c.state.is_of_client = c.state.is_of_client || branch.state.is_of_client;
    c.state.by_rule = c.state.by_rule || branch.state.by_rule;
    if (branch.state.part != ProgramState::kNoPart) c.state.part = branch.state.part;
    c.state.lacks_v4 = branch.state.lacks_v4;
    c.state.lacks_v6 = branch.state.lacks_v6;
    c.state.dropped = branch.state.dropped;
    c.state.marks |= branch.state.marks;
    c.state.ecs = c.state.ecs || branch.state.ecs;
}

}  // namespace steer
