#include "dataplane/policy/ops/static_records.h"

#include <algorithm>

#include "dataplane/policy/ops/redirect.h"
#include "dataplane/policy/ops/rules.h"

namespace steer {
namespace {

// How often one static_records may be entered: for an existing name, and for the target of an alias. Aliases of aliases
// are followed at build time; patterns remain, which may loop.
constexpr unsigned kMaxEntered = 2;

unsigned times_entered(const ProgramState& s, std::uint16_t pc) {
    return static_cast<unsigned>(std::count(s.wrappers.begin(), s.wrappers.begin() + s.depth, pc));
}

// nullptr: no entry has the name.
const StaticRecords::Does* find(QueryWalk& w, const StaticRecords& records) {
    if (w.c.query.qclass != dns::kIn) return nullptr;
    return records.find(w.c.asked().name(), w.c.query.qtype, w.scratch());
}

}  // namespace

MaybeStep Body<Op::static_records>::run(LiveRun& w, const Instruction& i) noexcept {
    QueryContext& c = w.c;
    const StaticRecords& records = w.snapshot().statics[i.operand];
    if (c.query.qclass != dns::kIn || c.stale != nullptr) return w.next();
    const StaticRecords::Does* const does = find(w, records);
    if (does != nullptr && does->alias == StaticRecords::kNoAlias) {
        c.replay = nullptr;
        if (w.give(does->answer)) w.worker.counters.add(Stat::static_answers);
        w.pc() = does->pc;
        return std::nullopt;
    }
    const bool has_room = times_entered(c.state, w.pc()) < kMaxEntered;
    if (does == nullptr) {
        if (!has_room) return w.next();
        w.enter_rewrite(Rewrites::kNothing);
        return std::nullopt;
    }
    if (!has_room) {
        w.fail_rewrite();
        return w.stop();
    }
    c.replay = nullptr;
    c.state.note_passed(false);
    w.enter_rewrite(does->alias);
    w.pc() = i.target;
    w.question_changed();
    return std::nullopt;
}

MaybeStep Body<Op::static_records>::run(HitWalk& w, const Instruction& i) noexcept {
    const StaticRecords::Does* const does = find(w, w.snapshot().statics[i.operand]);
    if (does == nullptr || does->alias != StaticRecords::kNoAlias) return w.next();
    if (w.give(does->answer) && i.short_circuit) return w.stop();
    w.pc() = does->pc;
    return std::nullopt;
}

// The name exists, even if an upstream answers NXDOMAIN.
Left Body<Op::static_records>::leave(LiveRun& w, const Instruction& i) noexcept {
    const ProgramState& s = w.state();
    const unsigned level = s.rewrites.count();
    if (s.rewrites[level - 1] != Rewrites::kNothing) {
        leave_renamed(w);
        return Left::passed;
    }
    const bool is_refused = s.stays_here && w.c.response.ede() == dns::Ede::not_authoritative;
    const bool is_missing =
        !w.has_response() || w.c.response.answer().rcode == dns::kNxDomain || is_refused;
    if (is_missing && s.answered_under == level) w.give(w.snapshot().statics[i.operand].nothing);
    w.pop_rewrite();
    return Left::passed;
}

const AdList::Part* Body<Op::ad_list>::denying_part(LiveRun& w, const AdList& list,
                                                    const matchers::TagBits& sets,
                                                    bool counts) noexcept {
    const auto is_in = [&](const NamesMask& names) {
        return sets.any_of(w.snapshot().tag_masks[names.mask_for(w.c.query.qtype)]);
    };
    const auto first_of = [&](bool is_legal) {
        const AdList::Part* denies = nullptr;
        for (const AdList::Part& part : list.lists) {
            if (part.is_legal != is_legal || !is_in(part.in)) continue;
            if (pass_by_rule(w, list.id, part.id, is_legal)) continue;
            if (counts) part.matches->count(w.worker.number);
            if (denies == nullptr) denies = &part;
        }
        return denies;
    };
    if (list.legal && is_in(*list.legal)) {
        if (const AdList::Part* const legal = first_of(true)) return legal;
    }
    // Also the names of legal lists that are suspended.
    const bool is_ended = w.now.s() < list.paused_until_s->load(std::memory_order_relaxed) ||
                          (list.allow && is_in(*list.allow));
    return is_ended ? nullptr : first_of(false);
}

void Body<Op::ad_list>::deny(LiveRun& w, const AdList& list, const AdList::Part& part) noexcept {
    const dns::Query& q = w.c.query;
    w.give(w.snapshot().black_holes[list.black_hole].of(q.qtype, q.qclass));
    w.state().note_maker(static_cast<std::uint8_t>(&part - list.lists.data()));
    w.c.response.set_ede(part.notice.code);
}

MaybeStep Body<Op::ad_list>::run(LiveRun& w, const Instruction& i) noexcept {
    const AdList& list = w.snapshot().ad_lists[i.operand];
    const AdList::Part* const denies = denying_part(w, list, w.tags(), true);
    if (denies == nullptr) {
        w.pc() = i.target;
        return std::nullopt;
    }
    w.worker.counters.add(Stat::ad_list_denied);
    deny(w, list, *denies);
    return w.stop();
}

}  // namespace steer
