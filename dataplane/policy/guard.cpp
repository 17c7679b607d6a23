#include "dataplane/policy/guard.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "dataplane/policy/snapshot.h"

namespace steer {
namespace {

using Pcs = std::vector<std::uint16_t>;

// The successors of an instruction when no cache has an answer; the program's size is the common end. What a fallback runs
// returns, or ends.
// An alias of static records returns to them, which adds no decision.
void for_each_next(const Snapshot& snapshot, std::size_t pc, auto&& visit) {
    const Program& program = snapshot.program;
    const Instruction& i = program[pc];
    const std::size_t exit = program.size();
    if (i.op == Op::go_to) return visit(std::size_t{i.target});
    if (has_trait(i.op, op_traits::kStops)) return visit(exit);
    visit(pc + 1);
    if (is_test(i.op) || has_trait(i.op, op_traits::kBranches)) visit(std::size_t{i.target});
    if (i.op == Op::static_records) {
        for (const StaticRecords::Does& does : snapshot.statics[i.operand].does) {
            if (does.alias == StaticRecords::kNoAlias) visit(std::size_t{does.pc});
        }
    }
    const bool may_stop =
        (i.short_circuit && i.op != Op::enter_cache) || has_trait(i.op, op_traits::kMayStop);
    if (may_stop) visit(exit);
}

bool is_text_of(const Snapshot& snapshot, const Instruction& i, TextMatch::Of of) {
    return i.op == Op::if_text && snapshot.text_matches[i.operand].of == of;
}

bool asks_of_response(const Snapshot& snapshot, const Instruction& i) {
    return has_trait(i.op, op_traits::kReadsResponse) ||
           is_text_of(snapshot, i, TextMatch::Of::response);
}

// Whether one of these marks decides it.
bool asks_of_marks(const Snapshot& snapshot, const Instruction& i, std::uint64_t marks) {
    return (has_trait(i.op, op_traits::kReadsMarks) &&
            (marks & snapshot.mark_masks[i.operand]) != 0) ||
           (marks != 0 && is_text_of(snapshot, i, TextMatch::Of::marks));
}

// Inherited sets change while the answer is cached.
bool is_beside_the_key(const Snapshot& snapshot, const Instruction& i) {
    return depends_on_query(snapshot, i) ||
           (is_test(i.op) && has_trait(i.op, op_traits::kReadsName) &&
            snapshot.tag_masks[i.operand].any_of(snapshot.all_inheriting));
}

// By pc: all instructions that may run from these on, including those of nested fallbacks.
std::vector<bool> run_from(const Snapshot& snapshot, std::vector<std::size_t> todo) {
    const Program& program = snapshot.program;
    std::vector<bool> run(program.size() + 1);
    while (!todo.empty()) {
        const std::size_t pc = todo.back();
        todo.pop_back();
        if (run[pc]) continue;
        run[pc] = true;
        if (pc == program.size()) continue;
        for_each_next(snapshot, pc, [&](std::size_t next) { todo.push_back(next); });
        if (program[pc].op != Op::fallback) continue;
        const Fallback& inner = snapshot.fallbacks[program[pc].operand];
        todo.insert(todo.end(), {inner.primary, inner.secondary});
    }
    return run;
}

class Guards {
  public:
    explicit Guards(Snapshot& snapshot)
        : snapshot_(snapshot), program_(snapshot.program), joins_(program_.size() + 1) {}

    void mark() {
        inspect_fallbacks();
        inspect_probes();
        if (!snapshot_.rpzs.empty()) find_policed();
        if (snapshot_.watch_bits != 0) find_watched();
        Pcs caches;
        for (std::size_t pc = 0; pc < program_.size(); ++pc) {
            if (program_[pc].op == Op::enter_cache)
                caches.push_back(static_cast<std::uint16_t>(pc));
            if (is_beside_the_key(snapshot_, program_[pc])) has_tests_ = true;
        }
        if (caches.empty() || (!has_tests_ && !tells_programs_apart())) return;
        find_joins();
        find_paths_to_caches();
        for (const std::uint16_t pc : caches)
            program_[pc].guarded = is_guarded(pc, caches);
    }

  private:
    void inspect_fallbacks() {
        for (Fallback& fallback : snapshot_.fallbacks) {
            const std::vector<bool> run = run_by_fallback(snapshot_, fallback);
            fallback.lists.clear();
            bool has_cache = false, has_rpz = false;
            std::uint64_t watched = 0;
            for (std::size_t pc = 0; pc < program_.size(); ++pc) {
                if (!run[pc]) continue;
                has_rpz = has_rpz || program_[pc].op == Op::enter_rpz;
                has_cache = has_cache || program_[pc].op == Op::enter_cache;
                watched |= watch_of(program_[pc]);
                if (has_trait(program_[pc].op, op_traits::kClaims))
                    fallback.lists.push_back(static_cast<std::uint8_t>(program_[pc].operand));
            }
            fallback_has_cache_.push_back(has_cache);
            fallback_has_rpz_.push_back(has_rpz);
            fallback_watch_.push_back(watched);
        }
    }

    // A probe's unit may fill a cache for names whose queries come by another path.
    void inspect_probes() {
        for (const Prefer& prefer : snapshot_.prefers) {
            const std::vector<bool> run = prefer.probe == 0
                                              ? std::vector<bool>()
                                              : run_from(snapshot_, {std::size_t{prefer.probe}});
            bool has_cache = false;
            for (std::size_t pc = 0; pc < program_.size() && !run.empty(); ++pc)
                has_cache = has_cache || (run[pc] && program_[pc].op == Op::enter_cache);
            probe_has_cache_.push_back(has_cache);
            has_probes_ = has_probes_ || has_cache;
        }
    }
    [[nodiscard]] bool tells_programs_apart() const {
        return snapshot_.has_several_entries() || has_probes_;
    }

    // A hit of such a cache runs the wrapped part, so that the zones check its client and answer.
    void find_policed() {
        for (std::size_t pc = 0; pc < program_.size(); ++pc) {
            if (program_[pc].op != Op::enter_cache) continue;
            const std::vector<bool> wrapped = wrapped_by(pc);
            for (std::size_t at = pc + 1; at < program_.size() && !program_[pc].policed; ++at) {
                const Instruction& i = program_[at];
                program_[pc].policed =
                    wrapped[at] && (i.op == Op::enter_rpz ||
                                    (i.op == Op::fallback && fallback_has_rpz_[i.operand]));
            }
        }
    }

    [[nodiscard]] std::uint64_t watch_of(const Instruction& i) const {
        return i.op == Op::watch_targets ? snapshot_.ad_lists[i.operand].watch : 0;
    }
    // The ad lists that such a cache wraps.
    void find_watched() {
        snapshot_.watched_inside.assign(program_.size(), 0);
        for (std::size_t pc = 0; pc < program_.size(); ++pc) {
            if (program_[pc].op != Op::enter_cache) continue;
            const std::vector<bool> wrapped = wrapped_by(pc);
            for (std::size_t at = pc + 1; at < program_.size(); ++at) {
                const Instruction& i = program_[at];
                if (!wrapped[at]) continue;
                snapshot_.watched_inside[pc] |=
                    i.op == Op::fallback ? fallback_watch_[i.operand] : watch_of(i);
            }
        }
    }

    // The join of all ways from an instruction: its immediate post-dominator.
    void find_joins() {
        const std::size_t exit = program_.size();
        joins_[exit] = exit;
        for (std::size_t pc = exit; pc-- > 0;) {
            std::size_t join = exit + 1;
            for_each_next(snapshot_, pc,
                          [&](std::size_t next) { join = join > exit ? next : meet(join, next); });
            joins_[pc] = join;
        }
    }
    [[nodiscard]] std::size_t meet(std::size_t a, std::size_t b) const {
        while (a != b) {
            if (a < b)
                a = joins_[a];
            else
                b = joins_[b];
        }
        return a;
    }

    void find_paths_to_caches() {
        comes_to_cache_.assign(program_.size() + 1, false);
        for (std::size_t pc = program_.size(); pc-- > 0;) {
            const Instruction& i = program_[pc];
            bool comes = i.op == Op::enter_cache ||
                         (i.op == Op::fallback && fallback_has_cache_[i.operand]) ||
                         (i.op == Op::enter_prefer && probe_has_cache_[i.operand]);
            for_each_next(snapshot_, pc,
                          [&](std::size_t next) { comes = comes || comes_to_cache_[next]; });
            comes_to_cache_[pc] = comes;
        }
    }

    // Both sides of the test reach a cache.
    [[nodiscard]] bool divides(std::size_t pc) const {
        return comes_to_cache_[pc + 1] && comes_to_cache_[program_[pc].target];
    }

    // The part that the cache at `pc` wraps, up to the end of its sequence.
    [[nodiscard]] std::vector<bool> wrapped_by(std::size_t pc) const {
        std::vector<bool> wrapped(program_.size() + 1);
        wrapped[pc + 1] = true;
        for (std::size_t at = pc + 1; at < program_.size(); ++at) {
            if (!wrapped[at]) continue;
            const Instruction& i = program_[at];
            if (i.op == Op::sequence_end && i.instance <= program_[pc].instance) {
                wrapped[at] = false;
                continue;
            }
            for_each_next(snapshot_, at, [&](std::size_t next) { wrapped[next] = true; });
        }
        return wrapped;
    }

    // Adds the instructions between the test and its join to `dependent`.
    void add_between(std::size_t test, std::vector<bool>& dependent) const {
        std::vector<bool> met(joins_[test] + 1);
        const auto go = [&](std::size_t next) {
            if (next < met.size()) met[next] = true;
        };
        for_each_next(snapshot_, test, go);
        for (std::size_t pc = test + 1; pc < joins_[test]; ++pc) {
            if (!met[pc]) continue;
            dependent[pc] = true;
            for_each_next(snapshot_, pc, go);
        }
    }

    // The entry that an instruction belongs to; kUnits: a unit of a fallback or probe, which any entry may run.
    static constexpr std::size_t kUnits = kMaxEntries;
    [[nodiscard]] std::size_t program_of(std::size_t pc) const {
        if (!tells_programs_apart()) return 0;
        const auto& entries = snapshot_.entries;
        const auto behind = std::ranges::upper_bound(entries, pc);
        const auto number = static_cast<std::size_t>(behind - entries.begin()) - 1;
        std::size_t end = entries[number];
        while (program_[end].op != Op::end)
            ++end;
        return pc > end ? kUnits : number;
    }
    [[nodiscard]] std::uint64_t set_marks() const {
        std::uint64_t marks = 0;
        for (const Instruction& i : program_)
            if (has_trait(i.op, op_traits::kWritesMarks)) marks |= snapshot_.mark_masks[i.operand];
        return marks;
    }

    struct Decided {
        std::vector<bool> pcs;  // reached depending on facts outside the key
        std::uint64_t marks = 0;
        bool responses = false;
    };

    // Adds the decisions of tests inside the wrap, and of tests before the cache with caches on both sides.
    [[nodiscard]] Decided decided(std::uint16_t cache, const std::vector<bool>& wrapped) const {
        Decided d{std::vector<bool>(program_.size() + 1)};
        if (tells_programs_apart() && program_of(cache) == kUnits) d.marks = set_marks();
        std::vector<bool> done(program_.size());
        for (bool again = true; again;) {
            again = false;
            for (std::size_t pc = 0; pc < program_.size(); ++pc) {
                const Instruction& i = program_[pc];
                if (!is_test(i.op) || done[pc] || (!wrapped[pc] && !divides(pc))) continue;
                const bool depends = is_beside_the_key(snapshot_, i) ||
                                     (d.responses && asks_of_response(snapshot_, i)) ||
                                     asks_of_marks(snapshot_, i, d.marks);
                if (!depends) continue;
                done[pc] = again = true;
                add_between(pc, d.pcs);
            }
            for (std::size_t pc = 0; pc < program_.size(); ++pc) {
                if (!d.pcs[pc]) continue;
                const Instruction& i = program_[pc];
                if (has_trait(i.op, op_traits::kWritesMarks))
                    d.marks |= snapshot_.mark_masks[i.operand];
                d.responses = d.responses || has_trait(i.op, op_traits::kWritesResponse);
            }
        }
        return d;
    }

    [[nodiscard]] bool claims(std::size_t pc) const {
        const Instruction& i = program_[pc];
        return has_trait(i.op, op_traits::kClaims) ||
               (i.op == Op::fallback && !snapshot_.fallbacks[i.operand].lists.empty());
    }
    [[nodiscard]] bool wraps_claims(std::uint16_t pc) const {
        const std::vector<bool> wrapped = wrapped_by(pc);
        for (std::size_t at = pc + 1U; at < program_.size(); ++at)
            if (wrapped[at] && claims(at)) return true;
        return false;
    }

    [[nodiscard]] bool is_guarded(std::uint16_t pc, const Pcs& caches) const {
        const std::vector<bool> wrapped = wrapped_by(pc);
        const Decided d = decided(pc, wrapped);
        for (std::size_t at = pc + 1U; at < program_.size(); ++at)
            if (wrapped[at] && d.pcs[at] && claims(at)) return true;
        // Which of several entrances of the same cache is reached.
        return std::any_of(caches.begin(), caches.end(), [&](std::uint16_t other) {
            const bool same = other != pc && program_[other].operand == program_[pc].operand;
            const bool depends = d.pcs[other] || d.pcs[pc] || program_of(other) != program_of(pc);
            return same && depends && (wraps_claims(pc) || wraps_claims(other));
        });
    }

    Snapshot& snapshot_;
    Program& program_;
    std::vector<std::size_t> joins_;
    std::vector<bool> comes_to_cache_;
    std::vector<bool> fallback_has_cache_, fallback_has_rpz_;
    std::vector<bool> probe_has_cache_;          // by Snapshot::prefers
    std::vector<std::uint64_t> fallback_watch_;  // AdList::watch of what it runs
    bool has_tests_ = false;
    bool has_probes_ = false;  // with a cache
};

}  // namespace

void mark_guards(Snapshot& snapshot) {
    Guards(snapshot).mark();
}

std::vector<std::size_t> successors_of(const Snapshot& snapshot, std::size_t pc) {
    std::vector<std::size_t> out;
    for_each_next(snapshot, pc, [&](std::size_t next) { out.push_back(next); });
    return out;
}

std::vector<bool> run_by_fallback(const Snapshot& snapshot, const Fallback& fallback) {
    return run_from(snapshot, {fallback.primary, fallback.secondary});
}

bool depends_on_query(const Snapshot& snapshot, const Instruction& i) {
    using namespace op_traits;
    return has_trait(i.op, kReadsClient | kReadsChance | kReadsTime) ||
           is_text_of(snapshot, i, TextMatch::Of::client) ||
           is_text_of(snapshot, i, TextMatch::Of::server_name) ||
           is_text_of(snapshot, i, TextMatch::Of::url_path);
}

}  // namespace steer
