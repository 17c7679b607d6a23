#include "dataplane/policy/ad_targets.h"

#include <algorithm>

#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/entry_words.h"
#include "dataplane/policy/facts.h"
#include "dataplane/policy/ops/rules.h"
#include "dataplane/policy/ops/static_records.h"

namespace steer {
namespace {

// Names that an answer points to, with their sets.
class Targets {
  public:
    explicit Targets(QueryWalk& w)
        : w_(w),
          names_(w.c.response.answer(), w.c.asked_under(w.c.state.answered_under, question_).name(),
                 PointedNames::Of::cname_and_svcb) {}

    // False: no more.
    bool next() noexcept {
        name_ = names_.next();
        if (name_.empty()) return false;
        const Snapshot& snapshot = w_.c.snapshot;
        const std::uint32_t id = w_.worker.tag_set_of(snapshot, name_, tags_);
        if (const matchers::TagBits* const known = snapshot.tag_sets->find(id)) tags_ = *known;
        if (snapshot.inherited != nullptr) w_.worker.add_inherited(snapshot, name_, w_.now, tags_);
        return true;
    }
    [[nodiscard]] std::span<const std::uint8_t> name() const noexcept { return name_; }
    [[nodiscard]] const matchers::TagBits& sets() const noexcept { return tags_; }
    [[nodiscard]] bool is_in(const NamesMask& names) const noexcept {
        return tags_.any_of(w_.c.snapshot.tag_masks[names.mask_for(w_.c.query.qtype)]);
    }
    [[nodiscard]] bool is_denied_by(const AdList& list) const noexcept {
        return is_in(list.all) &&
               (!(list.allow && is_in(*list.allow)) || (list.legal && is_in(*list.legal)));
    }

  private:
    QueryWalk& w_;
    dns::Query question_;
    PointedNames names_;
    std::span<const std::uint8_t> name_;
    matchers::TagBits tags_;
};

// Inherited sets change while an entry lives.
bool is_known_clean(const QueryContext& c) {
    const cache::Entry* const entry = c.response.source();
    if (entry == nullptr || c.snapshot.inherited != nullptr) return false;
    const EntryTags tags = tags_in(*entry);
    return tags.generation == c.snapshot.generation && !tags.points_to_ads;
}

// A cache around it keeps the response, or a redirect is going to put a CNAME before it.
bool is_unfinished(const Program& program, const ProgramState& s) {
    for (unsigned i = 0; i < s.rewrites.count(); ++i) {
        if (Rewrites::is_redirect(s.rewrites[i])) return true;
    }
    return std::any_of(s.wrappers.begin(), s.wrappers.begin() + s.depth,
                       [&](std::uint16_t pc) { return program[pc].op == Op::enter_cache; });
}

struct Denial {
    const AdList* list = nullptr;  // nullptr: the answer is not denied
    const AdList::Part* part = nullptr;
};

[[gnu::noinline, gnu::cold]] void trace_target(const LiveRun& w, const AdList& list,
                                               std::span<const std::uint8_t> name) {
    w.c.trace.note(w.now, TraceWhat::denied_target, 0, list.watch_pc,
                   static_cast<std::uint32_t>(name.size()), 0, name);
}

// The list of this ad list that denies a name in the answer; nullptr: none does. Denied queries are
// counted, refreshes are not.
const AdList::Part* denying_part(LiveRun& w, const AdList& list) {
    const bool counts = !w.state().refresh;
    Targets targets(w);
    while (targets.next()) {
        const AdList::Part* const part =
            Body<Op::ad_list>::denying_part(w, list, targets.sets(), counts);
        if (part == nullptr) continue;
        if (counts) {
            w.worker.counters.add(Stat::ad_list_targets_denied);
            if (w.c.trace) trace_target(w, list, targets.name());
        }
        return part;
    }
    return nullptr;
}

// Of the first ad list that checks this query and denies its answer.
Denial find_denial(LiveRun& w) {
    const std::uint64_t deny = ads_pointed_to(w) & w.state().marks;
    if (deny == 0) return {};
    for (const AdList& list : w.snapshot().ad_lists) {
        if ((list.watch & deny) == 0) continue;
        if (const AdList::Part* const part = denying_part(w, list)) return {&list, part};
    }
    return {};
}

}  // namespace

std::uint64_t ads_pointed_to(QueryWalk& w) noexcept {
    QueryContext& c = w.c;
    if (c.snapshot.watch_bits == 0) return 0;
    if (const auto known = c.response.points_to_ads()) return *known;
    std::uint64_t ads = 0;
    if (!is_known_clean(c)) {
        Targets targets(w);
        while (targets.next()) {
            for (const AdList& list : c.snapshot.ad_lists)
                ads |= list.watch != 0 && targets.is_denied_by(list) ? list.watch : 0;
        }
    }
    c.response.set_points_to_ads(ads);
    return ads;
}

// A branch's response goes on in the query that runs it, perhaps inside a cache. A refresh has no
// client; what is denied is not claimed.
bool deny_by_targets(LiveRun& w) noexcept {
    QueryContext& c = w.c;
    if (c.state.unit || is_unfinished(c.snapshot.program, c.state)) return false;
    const auto [list, part] = find_denial(w);
    if (list == nullptr) return false;
    if (c.state.refresh) {
        forget_lists(c.state);
        return false;
    }
    c.replay = nullptr;
    const std::uint16_t at = std::exchange(c.state.pc, list->watch_pc);
    Body<Op::ad_list>::deny(w, *list, *part);
    c.state.pc = at;
    return true;
}

}  // namespace steer
