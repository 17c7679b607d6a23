// What an `rpz` does to a query: acts on who asks for what, or lets the rest answer and acts on that (answer/rpz.h).
//
// Where it acts the program ends, as behind an ad list; PASSTHRU lets it go on. Another name is asked for by the rest of
// its sequence, at once or when the answer is known; what that brings is not looked at again. What it answers by itself no
// cache keeps: it may be for this client alone, and zones change.
#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/executor.h"
#include "dataplane/policy/facts.h"

namespace steer {

std::optional<Step> Executor::enter_rpz(QueryContext& c, const Instruction& i, Now now) noexcept {
    const Rpz& rpz = c.snapshot.rpzs[i.operand];
    if (c.query.qclass != dns::kIn) {
        ++c.state.pc;
        return std::nullopt;
    }
    const Rpz::Found found =
        rpz.find_question(c.client, c.asked().name(), c.snapshot.scratches[worker_]);
    // Zones in front of that one may have something to say about the answer.
    const bool waits = rpz.asks_answers && (!found || rpz.asks_answers_before(found.zone));
    if (!waits) {
        const PolicyEnd end = found ? apply(c, rpz, found) : PolicyEnd::passed;
        if (end == PolicyEnd::answered) return stop(c, now);
        if (end == PolicyEnd::passed) ++c.state.pc;
        return std::nullopt;
    }
    enter(c);
    c.state.rewrites.push(Rewrites::kNothing);
    return std::nullopt;
}

Executor::PolicyEnd Executor::leave_rpz(QueryContext& c, const Rpz& rpz, std::uint16_t pc,
                                        Now now) noexcept {
    ProgramState& s = c.state;
    const unsigned level = s.rewrites.count();
    if (s.rewrites[level - 1] != Rewrites::kNothing) {
        leave_redirect(c, now);
        const bool is_kept = c.response && in_policed_cache(c.snapshot.program, s);
        if (is_kept && !c.response.forget_scope(buffers_, true, now)) fail_rewrite(c);
        return PolicyEnd::passed;
    }
    pop_rewrite(c);
    if (s.dropped) return PolicyEnd::passed;
    const Rpz::Found found = find_policy(c, rpz);
    if (!found) return PolicyEnd::passed;
    const std::uint16_t at = s.pc;
    s.pc = pc;  // where it is entered once more, if another name is asked for
    const PolicyEnd end = apply(c, rpz, found);
    if (end != PolicyEnd::renamed) s.pc = at;
    return end;
}

// The name and client of the question first, then the chain that the answer is; zones in their order at each of its names.
Rpz::Found Executor::find_policy(const QueryContext& c, const Rpz& rpz) const noexcept {
    auto& scratch = c.snapshot.scratches[worker_];
    const Rpz::Found of_question = rpz.find_question(c.client, c.asked().name(), scratch);
    if (!c.response) return of_question;
    const dns::Answer& answer = c.response.answer();
    const auto find_address = [&](const Rpz::Found& other) {
        const Rpz::Found found =
            rpz.find_address(answer, other ? other.zone : static_cast<std::uint32_t>(-1));
        return found ? found : other;
    };
    dns::Query room;
    PointedNames targets(answer, c.asked_under(c.state.answered_under, room).name(),
                         PointedNames::Of::cname);
    auto target = targets.next();
    if (target.empty()) return find_address(of_question);
    if (of_question) return of_question;
    Rpz::Found of_name;
    for (; !target.empty() && !of_name; target = targets.next())
        of_name = rpz.find_name(target, static_cast<std::uint32_t>(-1), scratch);
    // An address belongs to the last name.
    return target.empty() ? find_address(of_name) : of_name;
}

Executor::PolicyEnd Executor::apply(QueryContext& c, const Rpz& rpz,
                                    const Rpz::Found& found) noexcept {
    using Does = Rpz::Action::Does;
    const Rpz::Action& action = rpz.actions[found.action];
    rpz.zones[found.zone].matches->count(worker_);
    AnswerRef answer = action.answer;
    switch (action.does) {
        case Does::passthru:
            counters_.add(Stat::rpz_passed);
            return PolicyEnd::passed;
        case Does::drop:
            counters_.add(Stat::rpz_dropped);
            forget_lists(c.state);
            c.response.clear();
            c.state.dropped = true;
            return PolicyEnd::answered;
        case Does::tcp_only:
            if (c.state.over_tcp) {
                counters_.add(Stat::rpz_passed);
                return PolicyEnd::passed;
            }
            counters_.add(Stat::rpz_truncated);
            break;
        case Does::deny:
            counters_.add(Stat::rpz_denied);
            break;
        case Does::records:
            counters_.add(Stat::rpz_answered);
            if (const AnswerRef own = rpz.answer_for(action, c.query.qtype); own != kNoAnswer)
                answer = own;
            break;
        case Does::alias:
            counters_.add(Stat::rpz_renamed);
            if (c.query.qtype != dns::kCname || answer == kNoAnswer)
                return ask_for_other_name(c, action.alias);
            break;
    }
    c.replay = nullptr;
    answer_known(c, answer);
    c.failed = false;
    return PolicyEnd::answered;
}

Executor::PolicyEnd Executor::ask_for_other_name(QueryContext& c, std::uint16_t word) noexcept {
    const auto name = c.asked().name();
    const bool is_below =
        word < c.snapshot.redirect_below.size() && c.snapshot.redirect_below[word];
    const auto& target = c.snapshot.redirect_targets[word];
    // A stale answer that every forward gives is about the name that it was kept for.
    if (c.stale != nullptr || (is_below && name.size() - 1 + target.size() > UINT8_MAX)) {
        fail_rewrite(c);
        return PolicyEnd::answered;
    }
    forget_lists(c.state);
    c.response.clear();
    c.replay = nullptr;
    c.failed = false;
    enter(c);
    c.state.rewrites.push(word);
    question_changed(c);
    return PolicyEnd::renamed;
}

bool Executor::in_policed_cache(const Program& program, const ProgramState& s) noexcept {
    for (unsigned d = 0; d < s.depth; ++d) {
        if (program[s.wrappers[d]].policed) return true;
    }
    return false;
}

}  // namespace steer
