#include "dataplane/policy/plan.h"

#include <rte_debug.h>

#include <algorithm>

#include "dataplane/policy/interpreter.h"
#include "dataplane/policy/ops/bodies.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/policy/trace_steps.h"

namespace steer {
namespace {

// If names inherit sets, plans would also depend on time.
bool is_pure(const Snapshot& snapshot, Op op, bool has_response) {
    if (has_trait(op, op_traits::kReadsName) && snapshot.inherited != nullptr) return false;
    const Purity plan = traits_of(op).plan;
    return plan == Purity::pure || (plan == Purity::without_answer && !has_response);
}

// A pure test whose outcome does not depend on the query.
bool is_fixed_test(Op op) {
    return is_test(op) && (op == Op::if_has_resp || op == Op::if_true ||
                           traits_of(op).plan == Purity::without_answer);
}

// Marks all instructions reachable from the marked ones, as far as the program is pure; jumps go forward.
struct Reached {
    std::vector<bool> pcs;
    bool reads_tags = false;

    explicit Reached(const Program& program) : pcs(program.size() + 1) {}
    void go_on(std::size_t pc, const Instruction& i, bool has_response) {
        if (i.op == Op::go_to) {
            pcs[i.target] = true;
            return;
        }
        const bool fixed = is_fixed_test(i.op);
        const bool holds =
            (i.op == Op::if_true || (i.op == Op::if_has_resp && has_response)) != i.negate;
        reads_tags |= has_trait(i.op, op_traits::kReadsName);
        if (!fixed || holds) pcs[pc + 1] = true;
        if (is_test(i.op) && !(fixed && holds)) pcs[i.target] = true;
    }
};

// The cache that every query reaches from `pc` on, if it is not ended before; -1: none.
std::int16_t cache_ahead(const Snapshot& snapshot, std::size_t pc) noexcept {
    const Program& program = snapshot.program;
    for (; pc < program.size(); ++pc) {
        const Instruction& i = program[pc];
        if (i.op == Op::enter_cache) return static_cast<std::int16_t>(i.operand);
        const bool passed = has_trait(i.op, op_traits::kLeadsOn);
        if (is_test(i.op) || (!passed && !is_pure(snapshot, i.op, false))) return -1;
        if (i.op == Op::go_to) pc = i.target - 1U;
    }
    return -1;
}

// Runs a program for a name in certain sets: the interpreter's plan mode.
class PlanWalk {
  public:
    static constexpr Mode kMode = Mode::plan;

    PlanWalk(const Snapshot& snapshot, const matchers::TagBits& sets)
        : snapshot_(snapshot), program_(snapshot.program), sets_(sets) {}
    // The same for a trace, up to where the plan ends: one for all names stops before tests of the name. `hit`: with the
    // steps behind a plain hit.
    void trace(const Plan& plan, std::uint8_t entry, bool hit, const TraceRef& into,
               Now now) noexcept {
        trace_ = into;
        now_ = now;
        pc_ = snapshot_.entries[entry];
        while (pc_ != plan.pc && program_[pc_].in_prefix)
            advance();
        flags_ |= trace_flags::kHit;
        if (hit) (void)hit_is_plain();
    }

    Plan plan(std::uint8_t entry) noexcept {
        pc_ = snapshot_.entries[entry];
        while (program_[pc_].in_prefix)
            advance();
        plan_.entry = entry;
        plan_.pc = pc_;
        plan_.depth = depth_;
        plan_.wrappers = wrappers_;
        plan_.marks = marks_;
        plan_.passed_by = passed_by_;
        plan_.is_allowed = passed_by_ != ProgramState::kNowhere;
        plan_.cache = cache_ahead(snapshot_, pc_);
        plan_.hit_is_plain = program_[pc_].op == Op::enter_cache && hit_is_plain();
        plan_.hit_marks = marks_;
        return plan_;
    }

    // The interface for bodies (interpreter.h).
    [[nodiscard]] const Snapshot& snapshot() const { return snapshot_; }
    [[nodiscard]] std::uint16_t& pc() { return pc_; }
    [[nodiscard]] std::uint64_t& marks() { return marks_; }
    [[nodiscard]] const matchers::TagBits& tags() const { return sets_; }
    [[nodiscard]] bool has_response() const { return has_response_; }
    MaybeStep next() noexcept {
        ++pc_;
        return std::nullopt;
    }
    void enter() noexcept {
        RTE_VERIFY(depth_ < kMaxWrappers);  // the builder refuses deeper programs
        wrappers_[depth_++] = pc_++;
    }
    const Instruction& pop() noexcept { return program_[wrappers_[--depth_]]; }
    [[nodiscard]] unsigned depth() const { return depth_; }
    [[nodiscard]] const Instruction& innermost() const { return program_[wrappers_[depth_ - 1U]]; }
    static constexpr unsigned outside() { return 0; }
    // As ProgramState::note_passed(), for an exception.
    void allow() noexcept {
        if (passed_by_ == ProgramState::kNowhere) passed_by_ = pc_;
    }
    // No claims without an answer.
    void claim(std::uint8_t list) noexcept {
        if (!has_response_) return;
        if (plan_.hit_list_count == kMaxClaims) too_many_ = true;
        if (!too_many_) plan_.hit_lists[plan_.hit_list_count++] = list;
        if (trace_) trace_.note(now_, TraceWhat::claimed, 0, pc_, list);
    }

  private:
    void advance() noexcept {
        const std::uint16_t at = pc_;
        const unsigned depth = depth_;
        const std::uint64_t marks = marks_ & ~snapshot_.watch_bits;
        step(*this);
        if (!trace_) return;
        unsigned flags = flags_;
        if (is_test(program_[at].op))
            flags |= trace_flags::kTest | (pc_ == at + 1U ? unsigned{trace_flags::kHeld} : 0U);
        if (depth_ > depth) flags |= trace_flags::kEntered;
        if (is_traced(program_[at].op)) trace_.note(now_, TraceWhat::step, flags, at, 0, pc_);
        for (unsigned d = depth; d-- > depth_;)
            trace_.note(now_, TraceWhat::left, flags, wrappers_[d], 0, pc_);
        if (const std::uint64_t after = marks_ & ~snapshot_.watch_bits; marks != after) {
            trace_.note(now_, TraceWhat::marks, flags, at, static_cast<std::uint32_t>(after),
                        static_cast<std::uint32_t>(after >> 32));
        }
    }
    // Continues from a hit in the cache at the program counter.
    bool hit_is_plain() noexcept {
        // A guarded cache evaluates lists again, a policed one checks the answer. If sets are inherited, every answer
        // has to pass them on.
        const bool is_watched = program_[pc_].guarded || program_[pc_].policed;
        if (is_watched || snapshot_.inherited != nullptr) return false;
        for (unsigned d = 0; d < depth_; ++d) {
            if (program_[wrappers_[d]].op != Op::enter_list) return false;
        }
        has_response_ = true;
        if (!program_[pc_].short_circuit) {
            enter();  // leaving it has no effect: it has this answer
            while (program_[pc_].op != Op::stop && program_[pc_].op != Op::end) {
                const Instruction& i = program_[pc_];
                // Summaries and reverse_lookup see every answer, including hits.
                const bool reports = is_wrapper(i.op) && i.op != Op::enter_list;
                if (!is_pure(snapshot_, i.op, true) || reports) return false;
                advance();
            }
        }
        leave_instance(*this, 0);
        return !too_many_;
    }

    const Snapshot& snapshot_;
    const Program& program_;
    const matchers::TagBits& sets_;
    std::uint16_t pc_ = 0;
    std::uint8_t depth_ = 0;
    bool has_response_ = false;
    bool too_many_ = false;  // lists
    std::array<std::uint16_t, kMaxWrappers> wrappers_{};
    std::uint64_t marks_ = 0;
    std::uint16_t passed_by_ = ProgramState::kNowhere;
    Plan plan_;
    TraceRef trace_;
    Now now_{};
    unsigned flags_ = trace_flags::kPlan;
};

}  // namespace

void mark_prefix(Snapshot& snapshot) {
    Program& program = snapshot.program;
    Reached prefix(program), hit(program);
    int summarized = -1;  // the innermost instance that may have entered a summary
    bool has_cache = false, several = false;
    for (const std::uint16_t pc : snapshot.entries)
        prefix.pcs[pc] = true;
    for (std::size_t pc = 0; pc < program.size(); ++pc) {
        Instruction& i = program[pc];
        if (prefix.pcs[pc]) {
            if (i.op == Op::enter_summary) summarized = std::max<int>(summarized, i.instance);
            i.in_prefix = is_pure(snapshot, i.op, false) &&
                          !(i.op == Op::sequence_end && summarized >= i.instance);
            if (i.in_prefix) {
                prefix.go_on(pc, i, false);
            } else if (const std::int16_t ahead = cache_ahead(snapshot, pc); ahead >= 0) {
                several |= snapshot.likely_cache >= 0 && ahead != snapshot.likely_cache;
                snapshot.likely_cache = ahead;
            }
            if (i.op == Op::enter_cache) {
                has_cache = true;
                if (!i.short_circuit) hit.pcs[pc + 1] = true;
            }
        }
        if (hit.pcs[pc] && is_pure(snapshot, i.op, true)) hit.go_on(pc, i, true);
    }
    snapshot.plans_by_name = prefix.reads_tags && has_cache;
    if (!snapshot.plans_by_name || several) snapshot.likely_cache = -1;
    snapshot.hit_reads_tags = snapshot.plans_by_name || hit.reads_tags;
    snapshot.hit_may_be_plain = snapshot.hit_reads_tags;
    for (std::size_t entry = 0; entry < snapshot.entries.size(); ++entry) {
        Plan& plan = snapshot.plans[entry] = {};
        plan.pc = snapshot.entries[entry];
        if (!prefix.reads_tags && plan.pc < program.size())
            plan = make_plan(snapshot, {}, static_cast<std::uint8_t>(entry));
        snapshot.hit_may_be_plain |= plan.hit_is_plain;
    }
}

Plan make_plan(const Snapshot& snapshot, const matchers::TagBits& sets,
               std::uint8_t entry) noexcept {
    return PlanWalk(snapshot, sets).plan(entry);
}

void trace_plan(const Snapshot& snapshot, const Plan& plan, std::uint8_t entry, bool is_plain_hit,
                const TraceRef& trace, Now now) noexcept {
    trace.note(now, TraceWhat::plan, is_plain_hit ? unsigned{trace_flags::kHit} : 0U, plan.pc,
               plan.tag_set());
    const matchers::TagBits* const sets =
        plan.tag_set() != 0 ? snapshot.tag_sets->find(plan.tag_set()) : nullptr;
    PlanWalk(snapshot, sets != nullptr ? *sets : matchers::TagBits{})
        .trace(plan, entry, is_plain_hit, trace, now);
}

Plan* PlanMemo::find(std::uint64_t tags, std::uint8_t entry) noexcept {
    const std::size_t first = place(static_cast<std::uint32_t>(tags), entry);
    for (unsigned probe = 0; probe < kProbes; ++probe) {
        Plan& plan = plans_[(first + probe) % TagSets::kCapacity];
        const bool is_old = plan.generation() != static_cast<std::uint32_t>(tags >> 32);
        if (is_old || (plan.tags == tags && plan.entry == entry)) return &plan;
    }
    return nullptr;
}

}  // namespace steer
