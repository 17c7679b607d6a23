// What a hit in a guarded cache (guard.h) is claimed for.
#include <rte_debug.h>

#include <algorithm>

#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/executor.h"

namespace steer {

bool Executor::in_guarded_cache(const Program& program, const ProgramState& s) noexcept {
    return std::any_of(s.wrappers.begin(), s.wrappers.begin() + s.depth,
                       [&](std::uint16_t pc) { return program[pc].guarded; });
}

void Executor::answer_without_family(QueryContext& c, Now now) noexcept {
    if (is_hints_type(c.query.qtype)) {
        const bool v4 = c.state.lacks_v4, v6 = c.state.lacks_v6;
        c.state.lacks_v4 = c.state.lacks_v6 = false;
        return take_family_out(c, v4, v6, now);
    }
    forget_lists(c.state);
    c.response.set_empty(dns::kNoError);
}

// Without a buffer the answer becomes empty: clients ask for addresses then.
void Executor::take_family_out(QueryContext& c, bool v4, bool v6, Now now) noexcept {
    if (!c.response || c.response.answer().rcode != dns::kNoError) return;
    const dns::Translation& none = dns::no_translation();
    dns::Query room;
    const auto name = c.asked_under(c.state.answered_under, room).name();
    for (const auto what : {dns::Translate::without_v4, dns::Translate::without_v6}) {
        const bool wanted = what == dns::Translate::without_v4 ? v4 : v6;
        if (!wanted || !dns::would_change(c.response.answer(), what, none)) continue;
        if (c.response.translate(buffers_, {.what = what, .asked = name}, none, now)) continue;
        counters_.add(Stat::hints_denied);
        forget_lists(c.state);
        c.response.set_empty(dns::kNoError);
        return;
    }
}

// Of what is left, lists alone are told: nothing was stored, measured or noted.
void Executor::leave_as_missed(QueryContext& c, unsigned depth, Now now) noexcept {
    ProgramState& s = c.state;
    while (s.depth > depth) {
        const Instruction& i = c.snapshot.program[s.wrappers[--s.depth]];
        if (i.op == Op::enter_list) leave_list(c, static_cast<std::uint8_t>(i.operand), now);
        if (i.op == Op::enter_redirect || i.op == Op::enter_pointer64) {
            pop_rewrite(c);
            question_changed(c);
        }
    }
}

// Every answer that the rest would come to is this one, which is what the client is told. Of a fallback it is not known
// who answered: the entry says what it claimed.
void Executor::claim_as_missed(QueryContext& c, const cache::Entry& hit,
                               const CacheInstance& settings, Now now) noexcept {
    counters_.add(Stat::cache_guarded_hits);
    const Program& program = c.snapshot.program;
    ProgramState before = c.state;
    ProgramState& s = c.state;
    const unsigned outside = s.depth;
    const auto level = static_cast<std::uint8_t>(s.rewrites.count());
    const cache::Entry* const entry = c.entry;
    forget_lists(s);
    enter(c);
    const auto pass_or_respond = [&](const Instruction& i, bool responds) {
        ++s.pc;
        if (!responds) return;
        forget_lists(s);
        s.answered_under =
            level;  // whatever the rest asks for: the hit answers what came to the cache
        set_kept(c.response, &hit, settings.stale.ttl_s, now);
        if (i.short_circuit) leave_as_missed(c, outside, now);
    };
    const auto respond = [&](const Instruction& i) { pass_or_respond(i, true); };
    while (s.depth > outside) {
        const Instruction& i = program[s.pc];
        if (is_test(i.op)) {
            s.pc = next_of_test(c, i, now);
            continue;
        }
        switch (i.op) {
            case Op::mark:
                s.marks |= c.snapshot.mark_masks[i.operand];
                ++s.pc;
                break;
            case Op::go_to:
                s.pc = i.target;
                break;
            case Op::forward:
                respond(i);
                break;
            case Op::fallback:
                respond(i);
                for (unsigned l = 0; l < hit.list_count; ++l) {
                    const std::uint8_t list = c.snapshot.list_by_id[hit.lists[l]];
                    const auto& units = c.snapshot.fallbacks[i.operand].lists;
                    if (std::find(units.begin(), units.end(), list) != units.end())
                        add_list(s, list);
                }
                break;
            case Op::black_hole: {
                const BlackHole& hole = c.snapshot.black_holes[i.operand];
                pass_or_respond(i, hole.of(c.query.qtype, c.query.qclass) != kNoAnswer);
                break;
            }
            case Op::answer_table: {
                const AnswerTable& table = c.snapshot.answer_tables[i.operand];
                pass_or_respond(i, table.find(c.asked().name(), c.query.qtype, c.query.qclass,
                                              c.snapshot.scratches[worker_]) != kNoAnswer);
                break;
            }
            case Op::live_answers:
                pass_or_respond(i, live_answer(c, *c.snapshot.live_answers[i.operand]) != nullptr);
                break;
            case Op::static_records: {
                const StaticRecords& records = c.snapshot.statics[i.operand];
                const StaticRecords::Does* const does =
                    c.query.qclass == dns::kIn ? records.find(c.asked().name(), c.query.qtype,
                                                              c.snapshot.scratches[worker_])
                                               : nullptr;
                const bool is_plain = does != nullptr && does->alias == StaticRecords::kNoAlias;
                pass_or_respond(i, is_plain && does->answer != kNoAnswer);
                if (is_plain) s.pc = does->pc;
                break;
            }
            case Op::ad_list:
                s.pc = i.target;
                break;
            case Op::drop_response:
                forget_lists(s);
                c.response.clear();
                ++s.pc;
                break;
            case Op::enter_list:
                enter(c);
                break;
            case Op::enter_redirect:
                enter_redirect(c, c.snapshot.redirects[i.operand]);
                break;
            case Op::enter_pointer64:
                enter_pointer64(c);
                break;
            case Op::claim_list:
                leave_list(c, static_cast<std::uint8_t>(i.operand), now);
                ++s.pc;
                break;
            case Op::reject:
                respond(i);
                leave_as_missed(c, outside, now);
                break;
            case Op::
                drop:  // the client is told the hit all the same, and nothing is claimed for it
                forget_lists(s);
                c.response.clear();
                leave_as_missed(c, outside, now);
                break;
            case Op::stop:
            case Op::end:
                leave_as_missed(c, outside, now);
                break;
            case Op::sequence_end: {
                unsigned depth = s.depth;
                while (depth > outside && program[s.wrappers[depth - 1U]].instance >= i.instance)
                    --depth;
                leave_as_missed(c, depth, now);
                ++s.pc;
                break;
            }
                STEER_OPS(STEER_OP_CASE_PASSED)
                ++s.pc;
                break;
                STEER_TESTS(STEER_OP_CASE)
                rte_panic("a test was not run\n");
        }
    }
    forget_lists(before);
    before.lists = s.lists;
    before.list_count = s.list_count;
    before.lacks_v4 = s.lacks_v4;
    before.lacks_v6 = s.lacks_v6;
    if (before.tag_set == 0) before.tag_set = s.tag_set;
    s = before;
    c.entry = entry;
}

}  // namespace steer
