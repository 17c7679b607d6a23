// The plan memo: where the program stands for a query after its pure prefix, and what a hit in the cache that it comes
// to there is claimed for.
//
// The prefix are the instructions from an entry on that do nothing but tests, marks and wrapping before there is an
// answer (Instruction::in_prefix). All that they are a function of is the snapshot, the entry and the tag set of the name,
// so these are the key. A test of something else (type, flags, client class) has to come into the key, and plan_test.cpp
// compares the executor with and without plans on random programs.
//
// A hit is plain if nothing that follows it but tests, marks and lists is run: then the entry is the answer, claimed for
// its own lists and `hit_lists`, and nobody has to walk the program.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/base/list_state.h"
#include "dataplane/policy/frontends.h"
#include "dataplane/policy/parked.h"
#include "dataplane/policy/program.h"
#include "dataplane/policy/tag_sets.h"

namespace steer {

struct Snapshot;

struct alignas(64) Plan {
    // As in cache::Entry: generation << 32 | tag-set id (0: it is that of every name). 0: no plan.
    std::uint64_t tags = 0;
    std::uint64_t marks = 0;
    std::uint16_t pc = 0;  // of the first instruction that is still to be run
    std::int16_t cache =
        -1;  // Snapshot::caches: what is reached from there without a test; -1: none
    std::uint8_t entry = 0;  // of the snapshot's, where it begins
    std::uint8_t depth = 0;  // wrappers entered
    bool hit_is_plain = false;
    std::uint8_t hit_list_count = 0;
    std::array<std::uint8_t, kMaxWrappers> hit_lists{};  // indices of Snapshot::lists, as left
    std::array<std::uint16_t, kMaxWrappers> wrappers{};  // their pcs

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
    }
};
static_assert(sizeof(Plan) == 64, "one line of the CPU's cache");

// Marks the pure prefix and finds out what plans depend on. Part of equip().
void mark_prefix(Snapshot& snapshot);

// The plan of the names in these sets that came by this entry; of no tag set yet.
Plan make_plan(const Snapshot& snapshot, const matchers::TagBits& sets,
               std::uint8_t entry = 0) noexcept;

// One worker's plans by tag set and entry. A plan stays where it is as long as its snapshot is in force. No heap after
// construction.
class PlanMemo {
  public:
    PlanMemo() : plans_(TagSets::kCapacity) {}

    // Where it is, if that was not another's place already. `tag_set`: 1..TagSets::kCapacity.
    [[nodiscard]] const Plan& first_place(std::uint32_t tag_set,
                                          std::uint8_t entry) const noexcept {
        return plans_[place(tag_set, entry)];
    }
    // Where it is, or (another's `tags` or entry) is to be; nullptr: there is no room for more.
    [[nodiscard]] Plan* find(std::uint64_t tags, std::uint8_t entry) noexcept;

  private:
    static constexpr unsigned kProbes = 16;
    // Of the first entry each tag set has a place of its own.
    static std::size_t place(std::uint32_t tag_set, std::uint8_t entry) noexcept {
        constexpr std::size_t kApart = TagSets::kCapacity / kMostEntries + 1;
        return (tag_set - 1 + entry * kApart) % TagSets::kCapacity;
    }

    std::vector<Plan> plans_;
};

}  // namespace steer
