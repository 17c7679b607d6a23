// The plan memo: the state of a query after the program's pure prefix, and the lists that claim a
// hit in the cache after the prefix.
//
// The prefix is all instructions from an entry on that only test, mark or wrap before there is an
// answer (Instruction::in_prefix). They depend only on the snapshot, the entry and the tag set of
// the name. So these are the key. A test of another fact (type, flags, client class) would have to
// be in the key; plan_test.cpp compares the executor with and without plans on random programs.
//
// A hit is plain if only tests, marks and lists follow it. Then the entry is the answer, claimed
// for its own lists and `hit_lists`, and no program needs to run.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/base/list_state.h"
#include "dataplane/policy/frontends.h"
#include "dataplane/policy/parked.h"
#include "dataplane/policy/program.h"
#include "dataplane/policy/tag_sets.h"
#include "dataplane/policy/trace.h"

namespace steer {

struct Snapshot;

struct alignas(64) Plan {
    // As in cache::Entry: generation << 32 | tag-set id (id 0: for every name). 0: no plan.
    std::uint64_t tags = 0;
    std::uint64_t marks = 0;
    std::uint64_t hit_marks = 0;  // after a plain hit
    std::uint16_t pc = 0;         // of the first instruction that still has to run
    std::int16_t cache =
        -1;  // Snapshot::caches: the cache reached from there without a test; -1: none
    std::uint8_t entry = 0;  // the snapshot's entry that it starts from
    std::uint8_t depth = 0;  // wrappers entered
    bool hit_is_plain = false;
    bool is_allowed = false;  // ProgramState::is_allowed; `passed_by` and `part` as there
    std::uint16_t passed_by = ProgramState::kNowhere;
    std::uint8_t hit_list_count = 0;
    std::array<std::uint8_t, kMaxWrappers> hit_lists{};  // indices of Snapshot::lists, as left
    std::array<std::uint16_t, kMaxWrappers> wrappers{};  // their program counters

    [[nodiscard]] std::uint32_t tag_set() const noexcept {
        return static_cast<std::uint32_t>(tags);
    }
    [[nodiscard]] std::uint32_t generation() const noexcept {
        return static_cast<std::uint32_t>(tags >> 32);
    }
    void begin(ProgramState& s) const noexcept {
        s.pc = pc;
        s.depth = depth;
        s.wrappers = wrappers;
        s.marks = marks;
        s.tag_set = tag_set();
        s.passed_by = passed_by;
        s.is_allowed = is_allowed;
    }
};
static_assert(sizeof(Plan) == 64, "one line of the CPU's cache");

// Marks the pure prefix and finds the inputs of plans. Part of equip().
void mark_prefix(Snapshot& snapshot);

// The plan for names in these sets, from this entry of the program. Its tag set is not assigned
// yet.
Plan make_plan(const Snapshot& snapshot, const matchers::TagBits& sets,
               std::uint8_t entry = 0) noexcept;
// Runs the steps of a plan again for a query's trace; for a plain hit, also those after its cache.
void trace_plan(const Snapshot& snapshot, const Plan& plan, std::uint8_t entry, bool is_plain_hit,
                const TraceRef& trace, Now now) noexcept;

// One worker's plans by tag set and entry. A plan does not move while its snapshot is in use. No
// heap after construction.
class PlanMemo {
  public:
    PlanMemo() : plans_(TagSets::kCapacity) {}

    // The plan, or nullptr if another plan has its slot. `tag_set`: 1..TagSets::kCapacity.
    [[nodiscard]] const Plan& first_place(std::uint32_t tag_set,
                                          std::uint8_t entry) const noexcept {
        return plans_[place(tag_set, entry)];
    }
    // The plan's slot, which may have another plan (`tags` or entry differ); nullptr if the table
    // is full.
    [[nodiscard]] Plan* find(std::uint64_t tags, std::uint8_t entry) noexcept;

  private:
    static constexpr unsigned kProbes = 16;
    // Each tag set has its own slot for the first entry.
    static std::size_t place(std::uint32_t tag_set, std::uint8_t entry) noexcept {
        constexpr std::size_t kApart = TagSets::kCapacity / kMaxEntries + 1;
        return (tag_set - 1 + entry * kApart) % TagSets::kCapacity;
    }

    std::vector<Plan> plans_;
};

}  // namespace steer
