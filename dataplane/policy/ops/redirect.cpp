#include "dataplane/policy/ops/redirect.h"

#include <algorithm>

#include "dataplane/policy/admit.h"
#include "dataplane/policy/dns64.h"

namespace steer {
namespace {

MaybeStep enter_renamed(QueryWalk& w, std::uint16_t word) {
    w.c.replay = nullptr;
    w.state().note_passed(false);
    w.enter_rewrite(word);
    w.question_changed();
    return std::nullopt;
}

}  // namespace

// A stale answer used by every forward belongs to the name that it was cached for.
template <>
MaybeStep Renames<Op::enter_redirect>::run(QueryWalk& w, const Instruction& i) noexcept {
    const Redirect& redirect = w.snapshot().redirects[i.operand];
    const auto name = w.c.asked().name();
    const std::uint32_t target = w.c.query.qclass == dns::kIn && w.c.stale == nullptr
                                     ? redirect.names.find(name, w.scratch())
                                     : matchers::NameValues::kNone;
    if (target == matchers::NameValues::kNone ||
        std::ranges::equal(w.snapshot().redirect_targets[target], name)) {
        return w.next();
    }
    return enter_renamed(w, static_cast<std::uint16_t>(target));
}

template <>
MaybeStep Renames<Op::enter_pointer64>::run(QueryWalk& w, const Instruction& /*i*/) noexcept {
    const bool applies = w.c.query.qclass == dns::kIn && w.c.query.qtype == dns::kPtr &&
                         w.c.stale == nullptr && !validates(w.c.query) &&
                         behind_pointer(w.snapshot().dns64s, w.c.asked().name()).has_value();
    if (!applies) {
        return w.next();
    }
    return enter_renamed(w, Rewrites::kPointer64);
}

void leave_renamed(LiveRun& w) noexcept {
    QueryContext& c = w.c;
    const ProgramState& s = c.state;
    const unsigned level = s.rewrites.count();
    const bool has_its_answer = c.response && s.answered_under == level;
    dns::Query room;
    const dns::Query& outer = c.asked_under(level - 1, room);
    const std::uint16_t word = s.rewrites[level - 1];
    const bool is_changed = word != Rewrites::kNothing;
    if (has_its_answer && is_changed) {
        const dns::AliasTerms terms{
            .asked = c.asked().name(),
            .alias = outer.name(),
            .qtype = c.query.qtype,
            .with_cname = !is_failure(c.response.answer()),
            .cname_ttl_s = Rewrites::is_redirect(word) ? c.snapshot.redirect_target(word).ttl_s : 1,
            .age_s = c.response.age_s(w.now.s())};
        if (!c.response.put_alias(w.worker.buffers, terms, w.now)) w.fail_rewrite();
    }
    w.pop_rewrite();
    if (!is_changed) return;
    w.question_changed();
    if (c.snapshot.hit_reads_tags) w.worker.match_name(c);  // an outer cache remembers them
}

}  // namespace steer
