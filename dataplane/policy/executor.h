// Walks a query through the program (program.h), stopping where an upstream has to be asked and going on from there.
//
// In:   a QueryContext: the query, who asks, what the burst's lookup found, where the program stands.
// Out:  Step::answered with `response` set (an empty NOERROR with EDE 0 if the program ended without one), or
//       Step::asks with the upstream group; then park `state`, and resume() with what came.
// Cost: one switch (interpreter.h) per instruction that the plan (plan.h) has not walked; a name is matched at most once, and seldom: a
//       cached entry and the worker's name memo remember its tag set. No allocation, no waiting.
//
// A stale answer (RFC 8767) leaves as a hit does, or, when an upstream did not answer, in place of what it would
// have said: the program goes on behind its `forward`, so that lists are claimed as for a fresh one. A refresh
// in the background is a query of nobody that runs inside the wrapper of one cache and ends with it.
//
// A hit in a guarded cache (guard.h) has its lists chosen anew: the rest that the cache wraps is walked once more for
// this client, as on a miss, for its tests and lists alone.
//
// A cached answer of an older generation is not used as it is: its lists were chosen by a program that is no longer in
// force. The program runs as for a miss, the first `forward` is answered by that entry, and the cache stores it anew.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/policy/live_run.h"
#include "dataplane/policy/worker_context.h"

namespace steer {

// What a hit is claimed for: indices of Snapshot::lists.
struct HitLists {
    std::array<std::uint8_t, kMaxClaims> lists;
    std::uint8_t list_count = 0;
};

class Executor {
  public:
    // `cache` and `notes` may be nullptr.
    Executor(unsigned worker, const cache::Cache* cache, const cache::KeyHasher& hasher,
             BufferPools& buffers, CacheWriter& cache_writer, Ring<Note>* notes,
             Counters& counters);

    // The plan of a query that came by this entry; nullptr: there is none, the program runs from the entry. Good as long
    // as the snapshot is in force.
    const Plan* plan(const Snapshot& snapshot, const dns::Query& q,
                     std::uint8_t entry = 0) noexcept;
    // That of the name of a cache's entry, whose word of tags it is (Entry::tags); nullptr: the word does not say.
    const Plan* plan(const Snapshot& snapshot, std::uint64_t tags,
                     std::uint8_t entry = 0) noexcept {
        if (!snapshot.hit_reads_tags) return &snapshot.plans[entry];
        const auto tag_set = static_cast<std::uint32_t>(tags);
        if (tags >> 32 != snapshot.generation || tag_set == 0 || tag_set > TagSets::kCapacity)
            return nullptr;
        const Plan& known = plans_.first_place(tag_set, entry);
        return known.tags == tags && known.entry == entry ? &known : make(snapshot, tags, entry);
    }

    // What the program would claim a plain hit for. False: a list makes it another answer; run the program.
    static bool claim_hit(const Snapshot& snapshot, const Plan& plan, const cache::Entry& hit,
                          HitLists& out) noexcept;

    // From state.pc on.
    Step run(QueryContext& c, Now now) noexcept;
    // After Step::asks: `answer` (taken over), or nullptr and why: SERVFAIL, and the program ends.
    Step resume(QueryContext& c, Buffer* answer, dns::Ede why, Now now) noexcept;
    // Goes on with the response of a branch that has one, its claims and its marks. `other`: the other one's, if it is
    // there as well.
    Step take_branch(QueryContext& c, QueryContext& branch, const QueryContext* other,
                     Now now) noexcept;
    // Goes on without one.
    Step skip_branches(QueryContext& c, Now now) noexcept;

    // While an upstream is asked: ends the program with a stale answer and notes that the upstream was too slow or
    // failed. False: no cache that was entered has one, nothing happened.
    bool resume_stale(QueryContext& c, Now now) noexcept;
    // A query that waited ends without its program: collectors that it is inside of are told.
    void abandon(const Snapshot& snapshot, const ProgramState& s) noexcept;
    // Where the program of a query that refreshes what the cache at `pc` keeps stands.
    static ProgramState refresh_state(const ProgramState& s, std::uint16_t pc,
                                      const Rewrites& rewrites) noexcept;
    // The same for a query that waits inside the wrapper of a cache with stale answers.
    [[nodiscard]] static ProgramState refresh_state_of(const Snapshot& snapshot,
                                                       const ProgramState& s) noexcept;

  private:
    const Plan* make(const Snapshot& snapshot, std::uint64_t tags, std::uint8_t entry) noexcept;

    WorkerContext worker_;
    PlanMemo plans_;
};

}  // namespace steer
