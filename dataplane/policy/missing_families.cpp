#include "dataplane/policy/missing_families.h"

#include <algorithm>

#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/query_walk.h"

namespace steer {

namespace {

// The list empties it. A rule that made it stays its maker.
void set_nodata(QueryContext& c) {
    forget_lists(c.state);
    if (c.state.made_by == ProgramState::kNowhere) c.state.note_maker();
    c.response.set_empty(dns::kNoError);
}

}  // namespace

bool in_guarded_cache(const QueryContext& c) noexcept {
    const ProgramState& s = c.state;
    return std::any_of(s.wrappers.begin(), s.wrappers.begin() + s.depth,
                       [&](std::uint16_t pc) { return c.snapshot.program[pc].guarded; });
}

void answer_without_family(QueryWalk& w) noexcept {
    QueryContext& c = w.c;
    if (is_hints_type(c.query.qtype)) {
        const bool v4 = c.state.lacks_v4, v6 = c.state.lacks_v6;
        c.state.lacks_v4 = c.state.lacks_v6 = false;
        return take_family_out(w, v4, v6);
    }
    set_nodata(c);
}

// Without a buffer the answer becomes empty: clients then ask for addresses.
void take_family_out(QueryWalk& w, bool v4, bool v6) noexcept {
    QueryContext& c = w.c;
    if (!c.response || c.response.answer().rcode != dns::kNoError) return;
    const dns::Translation& none = dns::no_translation();
    dns::Query room;
    const auto name = c.asked_under(c.state.answered_under, room).name();
    for (const auto what : {dns::Translate::without_v4, dns::Translate::without_v6}) {
        const bool wanted = what == dns::Translate::without_v4 ? v4 : v6;
        if (!wanted || !dns::would_change(c.response.answer(), what, none)) continue;
        if (c.response.translate(w.worker.buffers, {.what = what, .asked = name}, none, w.now))
            continue;
        w.worker.counters.add(Stat::hints_denied);
        set_nodata(c);
        return;
    }
}

}  // namespace steer
