// Walks a query through the program (program.h), stopping where an upstream has to be asked and going on from there.
//
// In:   a QueryContext: the query, who asks, what the burst's lookup found, where the program stands.
// Out:  Step::answered with `response` set (an empty NOERROR with EDE 0 if the program ended without one), or
//       Step::asks with the upstream group; then park `state`, and resume() with what came.
// Cost: one switch per instruction that the plan (plan.h) has not walked; a name is matched at most once, and seldom: a
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

#include <cstdint>
#include <optional>

#include "dataplane/base/clock.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/note.h"
#include "dataplane/base/ring.h"
#include "dataplane/cache/cache.h"
#include "dataplane/cache/cache_writer.h"
#include "dataplane/dns/answer.h"
#include "dataplane/policy/name_memo.h"
#include "dataplane/policy/parked.h"
#include "dataplane/policy/preferred_names.h"
#include "dataplane/policy/query_context.h"
#include "dataplane/policy/snapshot.h"

namespace steer {

// What a hit is claimed for: indices of Snapshot::lists.
struct HitLists {
    std::array<std::uint8_t, kMaxClaims> lists;
    std::uint8_t list_count = 0;
};

// What the program came to. sleeps: run() goes on. branches: next_branch() says what is to be done. waits: the
// resolver's own; it waits for branches in its record.
enum class Step : std::uint8_t { answered, asks, sleeps, branches, waits };

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
    // After Step::branches, for the instruction at state.pc (branches.h).
    [[nodiscard]] static NextOfBranches next_branch(const QueryContext& c,
                                                    const Branches& b) noexcept;
    // When what became of them since `before` sets the clock after which the first is late: how long; nothing: it does not.
    [[nodiscard]] static std::optional<std::uint32_t> branch_time_ms(const QueryContext& c,
                                                                     const Branches& before,
                                                                     const Branches& b) noexcept;
    // The type that branch number `which` asks for.
    [[nodiscard]] static std::uint16_t branch_type(const QueryContext& c, unsigned which) noexcept;
    // `branch`, of the same name, stands at the beginning of branch number `which`.
    static void begin_branch(QueryContext& c, unsigned which, QueryContext& branch) noexcept;
    // How a branch ended, whose program is over.
    [[nodiscard]] static Branches::Is end_of_branch(const QueryContext& branch) noexcept;
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

    // The key facts of a query in a cache instance. A subnet that the configuration gives is part of any key.
    static cache::KeyFacts facts_of(const dns::Query& q, const CacheInstance& instance) noexcept {
        const unsigned dnssec_ok = q.edns.dnssec_ok ? cache::kKeyDo : 0;
        const unsigned checking_disabled = (q.flags & dns::kCd) != 0 ? cache::kKeyCd : 0;
        cache::KeyFacts facts{q.name(), q.qtype, q.qclass, instance.id,
                              static_cast<std::uint8_t>(dnssec_ok | checking_disabled)};
        if (q.edns.ecs_len != 0 && (instance.ecs_in_key || q.ecs_from == dns::EcsFrom::preset)) {
            facts.qname = q.name_and_ecs();
            facts.ecs_len = q.edns.ecs_len;
            facts.flags |= cache::kKeyEcs;
        }
        if (instance.family_in_key && q.over_v4 && has_family(q.qtype))
            facts.flags |= cache::kKeyV4;
        return facts;
    }

  private:
    // Types whose answers dns64 makes for some clients.
    static bool has_family(std::uint16_t qtype) noexcept {
        return qtype == dns::kAaaa || qtype == dns::kHttps || qtype == dns::kSvcb;
    }

    Step finish(QueryContext& c, Now now) noexcept;
    [[nodiscard]] std::uint64_t preferred_key(const QueryContext& c,
                                              std::uint32_t prefer) const noexcept;
    // What the program came to; nothing: it goes on with the next instruction.
    std::optional<Step> enter_prefer(QueryContext& c, const Instruction& i, Now now) noexcept;
    void leave_prefer(QueryContext& c, std::uint32_t prefer, Now now) noexcept;
    // executor_dns64.cpp
    std::optional<Step> enter_dns64(QueryContext& c) noexcept;
    void leave_dns64(QueryContext& c, const Dns64& dns64, Now now) noexcept;
    static Branches::Is end_of_dns64_branch(const QueryContext& branch,
                                            const Dns64& dns64) noexcept;
    // With the branch's response in `c` already.
    Step take_dns64_branch(QueryContext& c, const QueryContext& branch, const QueryContext* other,
                           const Dns64& dns64, Now now) noexcept;
    // The answer to A that a branch brought becomes that to AAAA; `empty`: what AAAA itself had, if it is known.
    void synthesize(QueryContext& c, const Dns64& dns64, const Response* empty, Now now) noexcept;
    // Leaves out AAAA that do not count.
    void leave_uncounted_out(QueryContext& c, const Dns64& dns64, Now now) noexcept;
    void enter_pointer64(QueryContext& c) noexcept;
    // What the program came to; nothing: it goes on with the next instruction.
    std::optional<Step> static_records(QueryContext& c, const Instruction& i, Now now) noexcept;
    void leave_static(QueryContext& c, const StaticRecords& records, Now now) noexcept;
    // executor_rpz.cpp
    // What became of a query at a policy: nothing, an answer (or that there is none) which ends the program, or another name
    // is asked for from the next instruction on.
    enum class PolicyEnd : std::uint8_t { passed, answered, renamed };
    std::optional<Step> enter_rpz(QueryContext& c, const Instruction& i, Now now) noexcept;
    PolicyEnd leave_rpz(QueryContext& c, const Rpz& rpz, std::uint16_t pc, Now now) noexcept;
    [[nodiscard]] Rpz::Found find_policy(const QueryContext& c, const Rpz& rpz) const noexcept;
    PolicyEnd apply(QueryContext& c, const Rpz& rpz, const Rpz::Found& found) noexcept;
    // Enters the instruction at c.state.pc for another name: a word of Rewrites.
    PolicyEnd ask_for_other_name(QueryContext& c, std::uint16_t word) noexcept;
    [[nodiscard]] static bool in_policed_cache(const Program& program,
                                               const ProgramState& s) noexcept;
    // False: it pauses.
    bool deny_name(QueryContext& c, const AdList& list, Now now) noexcept;
    // True: a name under .local, which no upstream is asked (RFC 6762 22.1).
    static bool stays_here(const QueryContext& c, const Instruction& forward) noexcept;
    void answer_no_local(QueryContext& c) noexcept;
    // Without records, and as the branch that found it out went on.
    Step deny(QueryContext& c, bool stopped, std::uint16_t pc, Now now) noexcept;
    // With the stale answer that is in hand: nobody is waited for.
    void run_branches_stale(QueryContext& c, Now now) noexcept;
    Step stop(QueryContext& c, Now now) noexcept;
    void enter(QueryContext& c) noexcept;
    PolicyEnd leave_one(QueryContext& c, Now now) noexcept;
    PolicyEnd leave_instance(QueryContext& c, std::uint16_t instance, Now now) noexcept;

    [[nodiscard]] bool holds(QueryContext& c, const Instruction& i, Now now) noexcept;
    // The pc behind the test that stands at c.state.pc.
    [[nodiscard]] std::uint16_t next_of_test(QueryContext& c, const Instruction& i,
                                             Now now) noexcept;

    // True: a hit that ends the program.
    bool enter_cache(QueryContext& c, const Instruction& i, Now now) noexcept;
    // What becomes of an entry that was found: a hit, a stale one, or (nullptr) a miss.
    [[nodiscard]] const cache::Entry* take_entry(QueryContext& c, const cache::Entry* entry,
                                                 const CacheInstance& settings, Now now) noexcept;
    void attend(QueryContext& c, const cache::Entry& entry, const CacheInstance& settings,
                Now now) noexcept;
    // The stale (or meanwhile fresh) entry of the innermost cache that was entered and has one; nullptr: none.
    struct Stale {
        const cache::Entry* entry = nullptr;
        const StaleTerms* terms = nullptr;
        unsigned level = 0;  // rewrites around that cache
    };
    [[nodiscard]] Stale find_stale(const QueryContext& c, Now now) const noexcept;
    [[nodiscard]] bool may_keep_failure(const QueryContext& c, const cache::Key& key,
                                        const cache::KeyFacts& facts, Now now) const noexcept;
    [[nodiscard]] const cache::Entry* find_in_cache(QueryContext& c, std::uint32_t place,
                                                    Now now) const noexcept;
    void leave_cache(QueryContext& c, std::uint32_t place, std::uint8_t list_base,
                     Now now) noexcept;
    void leave_list(QueryContext& c, std::uint8_t list, Now now) noexcept;
    // executor_guard.cpp. A hit in the guarded cache at c.state.pc: the lists become those that a miss of this client
    // would have claimed its answer for. The response is anything then.
    void claim_as_missed(QueryContext& c, const cache::Entry& hit, const CacheInstance& settings,
                         Now now) noexcept;
    void leave_as_missed(QueryContext& c, unsigned depth, Now now) noexcept;
    [[nodiscard]] static bool in_guarded_cache(const Program& program,
                                               const ProgramState& s) noexcept;
    // What ProgramState::lacks_v4 and lacks_v6 asked for.
    void answer_without_family(QueryContext& c, Now now) noexcept;
    // Takes the hints and additional addresses of these families out of an answer to SVCB or HTTPS.
    void take_family_out(QueryContext& c, bool v4, bool v6, Now now) noexcept;

    // False: there is none (kNoAnswer).
    static bool answer_known(QueryContext& c, AnswerRef answer) noexcept;
    bool answer_from_table(QueryContext& c, const AnswerTable& table) noexcept;
    bool answer_live(QueryContext& c, const LiveAnswers& live, Now now) noexcept;
    // nullptr: none.
    const dns::Answer* live_answer(const QueryContext& c, const LiveAnswers& live) const noexcept;
    // True: the question was for the name of an address that is known, and has its answer.
    bool answer_pointer(QueryContext& c, const ReverseLookup& reverse, Now now) noexcept;
    void enter_redirect(QueryContext& c, const Redirect& redirect) noexcept;
    void leave_redirect(QueryContext& c, Now now) noexcept;
    void enter_ecs(QueryContext& c, std::uint32_t handler) noexcept;
    void leave_ecs(QueryContext& c, Now now) noexcept;
    // The answer of an executor that changes the question cannot be made.
    void fail_rewrite(QueryContext& c) noexcept;
    // Takes the last of the rewrites off; what answered the question under it answers the one before.
    static void pop_rewrite(QueryContext& c) noexcept;
    // What belongs to the question before it is forgotten.
    static void question_changed(QueryContext& c) noexcept;
    void leave_reverse(QueryContext& c, const ReverseLookup& reverse, Now now) noexcept;
    void change_ttls(QueryContext& c, const dns::TtlLimits& limits, Now now) noexcept;

    [[nodiscard]] const matchers::TagBits& tags_of(QueryContext& c, Now now) noexcept;
    void add_inherited(QueryContext& c, Now now) noexcept;
    void pass_on(QueryContext& c, Now now) noexcept;
    const Plan* make(const Snapshot& snapshot, std::uint64_t tags, std::uint8_t entry) noexcept;
    // The id of the sets that the name is in; 0: they have none, and are `without_id`.
    std::uint32_t tag_set_of(const Snapshot& snapshot, std::span<const std::uint8_t> name,
                             matchers::TagBits& without_id) noexcept;
    void match_name(QueryContext& c) noexcept;
    [[nodiscard]] bool has_cname_in(const QueryContext& c,
                                    const matchers::TagBits& mask) const noexcept;
    [[nodiscard]] bool text_holds(const QueryContext& c, const TextMatch& match) const noexcept;
    [[nodiscard]] bool takes_token(const QueryContext& c, std::uint32_t limiter,
                                   Now now) const noexcept;
    std::uint32_t next_random() noexcept;
    void note(QueryContext& c, NoteKind kind, std::uint32_t text, Now now) noexcept;

    const cache::Cache* cache_;
    const cache::KeyHasher& hasher_;
    BufferPools& buffers_;
    CacheWriter& cache_writer_;
    Ring<Note>* notes_;
    Counters& counters_;
    unsigned worker_;
    std::uint64_t random_;  // state of next_random(); not 0
    NameMemo memo_;
    PlanMemo plans_;
    PreferredNames preferred_;
    Note note_{};  // the one being filled
};

}  // namespace steer
