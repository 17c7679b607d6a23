#include "dataplane/policy/ops/subnet.h"

#include "dataplane/policy/admit.h"

namespace steer {

// An outer wrapper has already set a subnet.
MaybeStep Body<Op::enter_ecs>::run(LiveRun& w, const Instruction& i) noexcept {
    QueryContext& c = w.c;
    const dns::EcsFrom from = c.asked().ecs_from;
    const bool is_decided = from != dns::EcsFrom::client && from != dns::EcsFrom::nobody;
    if (c.query.qclass != dns::kIn || is_decided) return w.next();
    c.replay = nullptr;
    c.lookup_cache = -1;
    w.enter_rewrite(static_cast<std::uint16_t>(Rewrites::kFirstEcs + i.operand));
    c.rewrite_question();
    if (c.asked().ecs_from == dns::EcsFrom::forwarded) c.state.ecs = true;
    return std::nullopt;
}

// An answer for a preset subnet is the same for all. An answer for the client's address is stored by no outer cache: it
// depends on the subnet that the client sent, if any.
Left Body<Op::enter_ecs>::leave(LiveRun& w, const Instruction& /*i*/) noexcept {
    QueryContext& c = w.c;
    const dns::EcsFrom from = c.asked().ecs_from;
    const bool made_for_other = from == dns::EcsFrom::preset || from == dns::EcsFrom::address;
    const bool has_its_answer = c.response && c.state.answered_under == c.state.rewrites.count();
    const bool is_due_to_address = from == dns::EcsFrom::address && c.asked().edns.ecs_len != 0 &&
                                   c.response && is_failure(c.response.answer());
    if (made_for_other && has_its_answer &&
        (c.response.answer().ecs_scope != 0 || is_due_to_address) &&
        !c.response.forget_scope(w.worker.buffers, from == dns::EcsFrom::address, w.now))
        w.fail_rewrite();
    w.pop_rewrite();
    c.lookup_cache = -1;
    c.rewrite_question();
    return Left::passed;
}

// A failure of a query that carried the client's options may be due to them: no outer cache stores it.
Left Body<Op::enter_options>::leave(LiveRun& w, const Instruction& /*i*/) noexcept {
    QueryContext& c = w.c;
    w.pop_rewrite();
    if (!c.options.empty() && c.response && is_failure(c.response.answer()) &&
        !c.response.answer().for_one && !c.response.forget_scope(w.worker.buffers, true, w.now))
        w.fail_rewrite();
    return Left::passed;
}

}  // namespace steer
