// The plan memo: where the program stands for a query after its pure prefix, and what a hit in the cache that it comes
// to there is claimed for.
//
// The prefix are the instructions from the entry on that do nothing but tests, marks and wrapping before there is an
// answer (Instruction::in_prefix). All that they are a function of is the snapshot and the tag set of the name, so these
// are the key. A test of something else (type, flags, client class) has to come into the key, and plan_test.cpp
// compares the executor with and without plans on random programs.
//
// A hit is plain if nothing that follows it but tests, marks and lists is run: then the entry is the answer, claimed for
// its own lists and `hit_lists`, and nobody has to walk the program.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/event/list_state.h"
#include "dataplane/parked.h"
#include "dataplane/policy/program.h"
#include "dataplane/policy/tag_sets.h"

namespace steer {

struct Snapshot;

struct alignas(64) Plan {
    std::uint32_t generation = 0;  // of the snapshot; 0: none, generations count from 1
    std::uint32_t tag_set = 0;     // 0: it is that of every name
    std::uint64_t marks = 0;
    std::uint16_t pc = 0;  // of the first instruction that is still to be run
    std::int16_t cache =
        -1;  // Snapshot::caches: what is reached from there without a test; -1: none
    std::uint8_t depth = 0;  // wrappers entered
    bool hit_is_plain = false;
    std::uint8_t hit_list_count = 0;
    std::array<std::uint8_t, kMaxWrappers> hit_lists{};  // indices of Snapshot::lists, as left
    std::array<std::uint16_t, kMaxWrappers> wrappers{};  // their pcs

    void begin(ProgramState& s) const noexcept {
        s.pc = pc;
        s.depth = depth;
        s.wrappers = wrappers;
        s.marks = marks;
        s.tag_set = tag_set;
    }
};
static_assert(sizeof(Plan) == 64, "one line of the CPU's cache");

// Marks the pure prefix and finds out what plans depend on. Part of equip().
void mark_prefix(Snapshot& snapshot);

// The plan of the names in these sets.
Plan make_plan(const Snapshot& snapshot, const matchers::TagBits& sets) noexcept;

// One worker's plans by tag set. No heap after construction.
class PlanMemo {
  public:
    PlanMemo() : plans_(TagSets::kCapacity) {}

    // `tag_set`: 1..TagSets::kCapacity.
    Plan& of(std::uint32_t tag_set) noexcept { return plans_[tag_set - 1]; }

  private:
    std::vector<Plan> plans_;
};

}  // namespace steer
