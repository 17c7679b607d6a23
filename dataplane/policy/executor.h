// Runs a query's program (program.h). It stops where an upstream's answer is needed, and continues
// from there.
//
// In:   a QueryContext: the query, its client, the result of the burst's lookup, the program
//       counter.
// Out:  Step::answered with `response` set (an empty NOERROR with EDE 0 if the program ended
//       without one), or Step::asks with the upstream group. After Step::asks, park `state`, and
//       call resume() with the reply.
// Cost: one switch (interpreter.h) per instruction after the plan (plan.h). A name is matched at
//       most once, and rarely: cached entries and the worker's name memo remember its tag set. No
//       allocation, no waiting.
//
// A stale answer (RFC 8767) is sent as a hit, or in place of a missing upstream reply. Then the
// program continues after its `forward`, so that lists are claimed as for a fresh answer. A
// background refresh is a query without a client that runs inside the wrapper of one cache and ends
// with it.
//
// For a hit in a guarded cache (guard.h) the lists are evaluated again. The part of the program
// that the cache wraps runs for this client as on a miss, but only its tests and lists.
//
// A cached answer of an older generation is not used directly, because an old program chose its
// lists. The program runs as for a miss. That entry answers the first `forward`, and the cache
// stores it again.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/policy/live_run.h"
#include "dataplane/policy/worker_context.h"

namespace steer {

// The lists that claim a hit: indices of Snapshot::lists.
struct HitLists {
    std::array<std::uint8_t, kMaxClaims> lists;
    std::uint8_t list_count = 0;
};

// Of a question that upstreams did not answer.
struct FailureTerms {
    bool may_be_stale = true;  // a stale answer may replace the failure
    bool is_brief = false;     // Answer::is_brief
};

class Executor {
  public:
    // `cache` and `notes` may be nullptr.
    Executor(unsigned worker, const cache::Cache* cache, const cache::KeyHasher& hasher,
             BufferPools& buffers, CacheWriter& cache_writer, Ring<Note>* notes,
             Counters& counters);

    struct Planned {
        const dns::Query* query;
        std::uint8_t entry;
        const Plan* plan;  // the result
    };
    // The plan of a query that arrived through this entry of the program. nullptr: there is none,
    // and the program runs from the entry. Valid as long as the snapshot is in use.
    const Plan* plan(const Snapshot& snapshot, const dns::Query& q,
                     std::uint8_t entry = 0) noexcept {
        if (!snapshot.plans_by_name) return &snapshot.plans[entry];
        Planned one{&q, entry, nullptr};
        plan_by_names(snapshot, {&one, 1});
        return one.plan;
    }
    // The same for a burst, whose names are matched together. Needs Snapshot::plans_by_name.
    void plan_by_names(const Snapshot& snapshot, std::span<Planned> planned) noexcept;
    // The plan for the name of a cache's entry, by its word Entry::tags. nullptr: the word has no
    // tag set.
    const Plan* plan(const Snapshot& snapshot, std::uint64_t tags,
                     std::uint8_t entry = 0) noexcept {
        if (!snapshot.hit_reads_tags) return &snapshot.plans[entry];
        const auto tag_set = static_cast<std::uint32_t>(tags);
        if (tags >> 32 != snapshot.generation || tag_set == 0 || tag_set > TagSets::kCapacity)
            return nullptr;
        const Plan& known = plans_.first_place(tag_set, entry);
        return known.tags == tags && known.entry == entry ? &known : make(snapshot, tags, entry);
    }

    // Finds the lists that the program would claim a plain hit for. Returns false if a list changes
    // the answer; then run the program.
    static bool claim_hit(const Snapshot& snapshot, const Plan& plan, const cache::Entry& hit,
                          HitLists& out) noexcept;

    // Runs from state.pc on.
    Step run(QueryContext& c, Now now) noexcept;
    // After Step::asks. Takes ownership of `answer`. With nullptr and `why`, the program ends with
    // SERVFAIL.
    Step resume(QueryContext& c, Buffer* answer, dns::Ede why, Now now,
                const FailureTerms& terms = {}) noexcept;
    // Continues with the response of a branch, its claims and its marks. `other`: the other branch,
    // if it also has a response.
    Step take_branch(QueryContext& c, QueryContext& branch, const QueryContext* other,
                     Now now) noexcept;
    // Continues without a response.
    Step skip_branches(QueryContext& c, Now now) noexcept;

    // While an upstream query is in flight: ends the program with a stale answer and records that
    // the upstream was too slow or failed. Returns false if no entered cache has a stale answer;
    // then nothing happened.
    bool resume_stale(QueryContext& c, Now now) noexcept;
    // For a waiting query that ends without its program: updates the collectors that it has
    // entered.
    void abandon(const Snapshot& snapshot, const ProgramState& s) noexcept;
    // The program state of a query that refreshes an entry of the cache at `pc`.
    static ProgramState refresh_state(const ProgramState& s, std::uint16_t pc,
                                      const Rewrites& rewrites) noexcept;
    // The same, for a query that waits inside the wrapper of a cache with stale answers.
    [[nodiscard]] static ProgramState refresh_state_of(const Snapshot& snapshot,
                                                       const ProgramState& s) noexcept;

  private:
    static MaybeStep adopt_branch(LiveRun& w, QueryContext& branch,
                                  const QueryContext* other) noexcept;
    const Plan* make(const Snapshot& snapshot, std::uint64_t tags, std::uint8_t entry) noexcept;

    WorkerContext worker_;
    PlanMemo plans_;
};

}  // namespace steer
