// What the executor does with names that are known here: static records, ad lists, and names that never leave the house.
#include <algorithm>
#include <string_view>

#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/executor.h"

namespace steer {
namespace {

// How often one static_records may be entered: for a name that exists, and for the target of an alias. Aliases of aliases
// are followed when they are built; what is left are patterns, which may go in circles.
constexpr unsigned kMostEntered = 2;

bool is_local(std::span<const std::uint8_t> name) {
    constexpr std::string_view kLocal("\5local\0", 7);
    return name.size() >= kLocal.size() &&
           std::equal(kLocal.begin(), kLocal.end(), name.end() - kLocal.size());
}

unsigned times_entered(const ProgramState& s, std::uint16_t pc) {
    return static_cast<unsigned>(std::count(s.wrappers.begin(), s.wrappers.begin() + s.depth, pc));
}

}  // namespace

std::optional<Step> Executor::static_records(QueryContext& c, const Instruction& i,
                                             Now now) noexcept {
    ProgramState& s = c.state;
    const StaticRecords& records = c.snapshot.statics[i.operand];
    if (c.query.qclass != dns::kIn || c.stale != nullptr) {
        ++s.pc;
        return std::nullopt;
    }
    const StaticRecords::Does* const does =
        records.find(c.asked().name(), c.query.qtype, c.snapshot.scratches[worker_]);
    if (does != nullptr && does->alias == StaticRecords::kNoAlias) {
        c.replay = nullptr;
        if (answer_known(c, does->answer)) counters_.add(Stat::static_answers);
        s.pc = does->pc;
        return std::nullopt;
    }
    const bool has_room = times_entered(s, s.pc) < kMostEntered;
    if (does == nullptr) {
        if (!has_room) {
            ++s.pc;
            return std::nullopt;
        }
        enter(c);
        s.rewrites.push(Rewrites::kNothing);
        return std::nullopt;
    }
    if (!has_room) {
        fail_rewrite(c);
        return stop(c, now);
    }
    c.replay = nullptr;
    enter(c);
    s.pc = i.target;
    s.rewrites.push(does->alias);
    question_changed(c);
    return std::nullopt;
}

// The name exists, whoever says that it does not.
void Executor::leave_static(QueryContext& c, const StaticRecords& records, Now now) noexcept {
    const unsigned level = c.state.rewrites.count();
    if (c.state.rewrites[level - 1] != Rewrites::kNothing) return leave_redirect(c, now);
    const bool is_missing = !c.response || c.response.answer().rcode == dns::kNxDomain;
    if (is_missing && c.state.answered_under == level) answer_known(c, records.nothing);
    pop_rewrite(c);
}

bool Executor::deny_name(QueryContext& c, const AdList& list, Now now) noexcept {
    if (now.s() < list.paused_until_s->load(std::memory_order_relaxed)) return false;
    const matchers::TagBits& tags = tags_of(c, now);
    for (const AdList::Part& part : list.lists) {
        if (tags.any_of(c.snapshot.tag_masks[part.mask_for(c.query.qtype)]))
            part.matches->count(worker_);
    }
    counters_.add(Stat::ad_list_denied);
    answer_known(c, c.snapshot.black_holes[list.black_hole].of(c.query.qtype, c.query.qclass));
    return true;
}

bool Executor::stays_here(const QueryContext& c, const Instruction& forward) noexcept {
    return !forward.with_local && c.snapshot.no_local != kNoAnswer && is_local(c.asked().name());
}

void Executor::answer_no_local(QueryContext& c) noexcept {
    counters_.add(Stat::local_denied);
    c.replay = nullptr;
    answer_known(c, c.snapshot.no_local);
}

}  // namespace steer
