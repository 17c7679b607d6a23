#include "dataplane/policy/plan.h"

#include <rte_debug.h>

#include <bitset>

#include "dataplane/policy/snapshot.h"

namespace steer {
namespace {

// Nothing but a step, as long as there is no answer: no effect that anybody sees, no waiting, no end.
bool is_pure(Op op) {
    switch (op) {
        case Op::if_tags:
        case Op::if_has_resp:
        case Op::if_true:
        case Op::mark:
        case Op::enter_list:
        case Op::enter_summary:
        case Op::sequence_end:  // if no summary is left by it
            return true;
        case Op::forward:
        case Op::enter_cache:
        case Op::debug_print:
        case Op::reject:
        case Op::stop:
        case Op::end:
            return false;
    }
    return false;
}

bool is_test(Op op) {
    return op == Op::if_tags || op == Op::if_has_resp || op == Op::if_true;
}

// Instructions that are met from those that are set on, as far as the program is pure; targets lie ahead.
struct Reached {
    std::vector<bool> pcs;
    bool reads_tags = false;

    explicit Reached(const Program& program) : pcs(program.size() + 1) {}
    void go_on(std::size_t pc, const Instruction& i, bool has_response) {
        const bool fixed = i.op == Op::if_has_resp || i.op == Op::if_true;
        const bool holds = (i.op == Op::if_true || has_response) != i.negate;
        reads_tags |= i.op == Op::if_tags;
        if (!fixed || holds) pcs[pc + 1] = true;
        if (is_test(i.op) && !(fixed && holds)) pcs[i.target] = true;
    }
};

// A program that is walked through by a name in certain sets.
class PlanWalk {
  public:
    PlanWalk(const Snapshot& snapshot, const matchers::TagBits& sets)
        : snapshot_(snapshot), program_(snapshot.program), sets_(sets) {}

    Plan plan() noexcept {
        pc_ = snapshot_.entry;
        while (program_[pc_].in_prefix)
            step(program_[pc_], false);
        plan_.generation = snapshot_.generation;
        plan_.pc = pc_;
        plan_.depth = depth_;
        plan_.wrappers = wrappers_;
        plan_.marks = marks_;
        plan_.cache = cache_ahead();
        plan_.hit_is_plain = program_[pc_].op == Op::enter_cache && hit_is_plain();
        return plan_;
    }

  private:
    void step(const Instruction& i, bool has_response) noexcept {
        switch (i.op) {
            case Op::if_tags:
                return branch(i, sets_.any_of(snapshot_.tag_masks[i.operand]));
            case Op::if_has_resp:
                return branch(i, has_response);
            case Op::if_true:
                return branch(i, true);
            case Op::mark:
                marks_ |= snapshot_.mark_masks[i.operand];
                ++pc_;
                return;
            case Op::sequence_end:
                leave(i.instance, has_response);
                ++pc_;
                return;
            default:
                return enter();
        }
    }

    void branch(const Instruction& i, bool holds) noexcept {
        pc_ = holds != i.negate ? static_cast<std::uint16_t>(pc_ + 1) : i.target;
    }

    void enter() noexcept {
        RTE_VERIFY(depth_ < kMaxWrappers);  // the builder refuses deeper programs
        wrappers_[depth_++] = pc_++;
    }

    // Without an answer nothing comes of it; with one, lists claim.
    void leave(int instance, bool has_response) noexcept {
        for (; depth_ > 0; --depth_) {
            const Instruction& left = program_[wrappers_[depth_ - 1U]];
            if (instance != kAll && left.instance != instance) return;
            if (!has_response || left.op != Op::enter_list) continue;
            if (plan_.hit_list_count == kMaxClaims) too_many_ = true;
            if (!too_many_)
                plan_.hit_lists[plan_.hit_list_count++] = static_cast<std::uint8_t>(left.operand);
        }
    }

    // The cache that is reached from here by every query, if it is not ended before.
    [[nodiscard]] std::int16_t cache_ahead() const noexcept {
        for (std::size_t pc = pc_; pc < program_.size(); ++pc) {
            const Instruction& i = program_[pc];
            if (i.op == Op::enter_cache) return static_cast<std::int16_t>(i.operand);
            if (is_test(i.op) || (i.op != Op::debug_print && !is_pure(i.op))) return -1;
        }
        return -1;
    }

    // Walks on from a hit in the cache that is here.
    bool hit_is_plain() noexcept {
        for (unsigned d = 0; d < depth_; ++d) {
            if (program_[wrappers_[d]].op != Op::enter_list) return false;
        }
        if (!program_[pc_].short_circuit) {
            enter();  // and leaving it does nothing: it has this answer
            while (program_[pc_].op != Op::stop && program_[pc_].op != Op::end) {
                const Instruction& i = program_[pc_];
                if (!is_pure(i.op) || i.op == Op::enter_summary) return false;
                step(i, true);
            }
        }
        leave(kAll, true);
        return !too_many_;
    }

    static constexpr int kAll = -1;

    const Snapshot& snapshot_;
    const Program& program_;
    const matchers::TagBits& sets_;
    std::uint16_t pc_ = 0;
    std::uint8_t depth_ = 0;
    bool too_many_ = false;  // lists
    std::array<std::uint16_t, kMaxWrappers> wrappers_{};
    std::uint64_t marks_ = 0;
    Plan plan_;
};

}  // namespace

void mark_prefix(Snapshot& snapshot) {
    Program& program = snapshot.program;
    Reached prefix(program), hit(program);
    std::bitset<256> summarized;  // instances that may have entered a summary
    bool has_cache = false, several = false;
    if (snapshot.entry < program.size()) prefix.pcs[snapshot.entry] = true;
    for (std::size_t pc = 0; pc < program.size(); ++pc) {
        Instruction& i = program[pc];
        if (prefix.pcs[pc]) {
            if (i.op == Op::enter_summary) summarized.set(i.instance);
            i.in_prefix =
                is_pure(i.op) && !(i.op == Op::sequence_end && summarized.test(i.instance));
            if (i.in_prefix) prefix.go_on(pc, i, false);
            if (i.op == Op::enter_cache) {
                several |=
                    has_cache && static_cast<std::int16_t>(i.operand) != snapshot.likely_cache;
                has_cache = true;
                snapshot.likely_cache = static_cast<std::int16_t>(i.operand);
                if (!i.short_circuit) hit.pcs[pc + 1] = true;
            }
        }
        if (hit.pcs[pc] && is_pure(i.op)) hit.go_on(pc, i, true);
    }
    snapshot.plans_by_name = prefix.reads_tags && has_cache;
    if (!snapshot.plans_by_name || several) snapshot.likely_cache = -1;
    snapshot.hit_reads_tags = snapshot.plans_by_name || hit.reads_tags;
    snapshot.plan = {};
    snapshot.plan.pc = snapshot.entry;
    if (!prefix.reads_tags && snapshot.entry < program.size())
        snapshot.plan = make_plan(snapshot, {});
    snapshot.hit_may_be_plain = snapshot.hit_reads_tags || snapshot.plan.hit_is_plain;
}

Plan make_plan(const Snapshot& snapshot, const matchers::TagBits& sets) noexcept {
    return PlanWalk(snapshot, sets).plan();
}

}  // namespace steer
