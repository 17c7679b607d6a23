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
#include <span>
#include <utility>

#include "dataplane/cache/cache.h"
#include "dataplane/clock.h"
#include "dataplane/counters.h"
#include "dataplane/dns/alias.h"
#include "dataplane/dns/answer.h"
#include "dataplane/keeper.h"
#include "dataplane/note.h"
#include "dataplane/parked.h"
#include "dataplane/policy/name_memo.h"
#include "dataplane/policy/preferred_names.h"
#include "dataplane/policy/question.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/ring.h"

namespace steer {

// What a query is going to be answered with. Owns its buffer; an entry is good until the worker's
// next quiescent state.
class Response {
  public:
    Response() = default;
    ~Response() { clear(); }
    Response(const Response&) = delete;
    Response& operator=(const Response&) = delete;

    void clear() noexcept {
        if (buffer_ != nullptr) release(std::exchange(buffer_, nullptr));
        entry_ = source_ = nullptr;
        answer_ = nullptr;
        has_ede_ = false;
        stale_ttl_s_ = kFresh;
        kept_in_ = kNowhere;
        passes_options_ = 0;
    }
    void set_empty(std::uint8_t rcode, std::optional<dns::Ede> ede = std::nullopt) noexcept;
    void set_entry(const cache::Entry* entry) noexcept {
        clear();
        entry_ = source_ = entry;
        answer_ = &entry->answer();
        born_s_ = entry->inserted_s;
        kept_in_ = entry->instance;
    }
    // A stale entry (RFC 8767): its TTLs leave as `ttl_s`, or as they were if that is less.
    void set_stale(const cache::Entry* entry, std::uint32_t ttl_s) noexcept;
    void set_buffer(Buffer* buffer) noexcept;  // takes over; its payload is a dns::Answer
    // One of the snapshot's, which has no age.
    void set_known(const dns::Answer* answer) noexcept {
        clear();
        answer_ = answer;
        born_s_ = kJustNow;
    }
    // Of the options that its upstream sent, these go to the client: by Snapshot::option_codes.
    void pass_options(std::uint8_t bits) noexcept { passes_options_ = bits; }
    // All that it sent of any of these codes.
    [[nodiscard]] std::span<const std::uint8_t> options() const noexcept {
        return buffer_ != nullptr ? buffer_->options() : std::span<const std::uint8_t>{};
    }
    void set_ede(dns::Ede ede) noexcept {
        has_ede_ = true;
        ede_ = ede;
    }
    // Brings its TTLs within the limits; its source stays. False: no buffer for that, nothing was changed.
    bool limit_ttls(BufferPools& pools, const dns::TtlLimits& limits, Now now) noexcept;
    // It becomes the answer to `alias`, of which what it is now is about `asked` (dns/alias.h). What else is said of it stays
    // but where it is kept. False: no buffer, or no room in a message; it says nothing any more.
    bool put_alias(BufferPools& pools, dns::AliasTerms terms, Now now) noexcept;
    // It becomes what `translation` makes of it (dns/translate.h), which no cache gave. False: no buffer, or no room in a
    // message; it is as it was.
    bool translate(BufferPools& pools, dns::TranslateTerms terms,
                   const dns::Translation& translation, Now now) noexcept;
    // It was made for another subnet than the client's, or `for_one`. False: no buffer, nothing was changed.
    bool forget_scope(BufferPools& pools, bool for_one, Now now) noexcept;
    // Brings the TTLs that would leave now within the limits. What else is said of it stays: an EDE, that it is stale,
    // its source. False as above.
    bool change_ttls(BufferPools& pools, const dns::TtlLimits& limits, Now now) noexcept;

    explicit operator bool() const { return answer_ != nullptr; }
    [[nodiscard]] const dns::Answer& answer() const { return *answer_; }
    [[nodiscard]] const cache::Entry* entry() const { return entry_; }  // nullptr: not from a cache
    // The entry that it was before its TTLs were changed; nullptr: not from a cache.
    [[nodiscard]] const cache::Entry* source() const { return source_; }
    [[nodiscard]] std::optional<dns::Ede> ede() const {
        return has_ede_ ? std::optional(ede_) : std::nullopt;
    }
    [[nodiscard]] std::uint32_t age_s(std::uint32_t now_s) const noexcept {
        return now_s > born_s_ ? now_s - born_s_ : 0;
    }
    [[nodiscard]] bool is_stale() const { return stale_ttl_s_ != kFresh; }
    // CacheInstance::id of the cache that gave it; kNowhere: it is not from a cache.
    static constexpr std::uint16_t kNowhere = UINT16_MAX;
    [[nodiscard]] std::uint16_t kept_in() const { return kept_in_; }
    // It becomes what `other` is, which is empty then.
    void take(Response& other) noexcept;
    // What a query needs to have it again later, but for its buffer and EDE; restore() takes over the buffer.
    [[nodiscard]] KeptResponse terms() const { return {stale_ttl_s_, kept_in_, passes_options_}; }
    void restore(Buffer* buffer, const KeptResponse& terms, std::optional<dns::Ede> ede) noexcept;
    [[nodiscard]] bool in_buffer_of_its_own() const { return buffer_ != nullptr; }
    // Above this no TTL may leave.
    [[nodiscard]] std::uint32_t ttl_cap_s() const { return stale_ttl_s_; }
    // The answer in a buffer, one reference for the caller: the buffer that it is in, or a copy;
    // nullptr: none is free.
    [[nodiscard]] Buffer* in_buffer(BufferPools& pools, Now now) const noexcept;

  private:
    static constexpr std::uint32_t kFresh = UINT32_MAX;
    static constexpr std::uint32_t kJustNow = UINT32_MAX;  // whenever that is

    [[nodiscard]] Buffer* copy(BufferPools& pools, Now now) const noexcept;
    // The answer becomes what write(room) made, with the options behind it. False: as above.
    template <class Write>
    bool rewrite(BufferPools& pools, Now now, Write&& write) noexcept;

    const dns::Answer* answer_ = nullptr;
    const cache::Entry* entry_ = nullptr;
    const cache::Entry* source_ = nullptr;
    Buffer* buffer_ = nullptr;
    std::uint32_t born_s_ = 0;
    std::uint32_t stale_ttl_s_ = kFresh;
    std::uint16_t kept_in_ = kNowhere;
    std::uint8_t passes_options_ = 0;
    bool has_ede_ = false;
    dns::Ede ede_;
    dns::Answer empty_;
};

struct QueryContext {
    QueryContext(const Snapshot& s, const dns::Query& q) : snapshot(s), query(q) {}

    const Snapshot& snapshot;
    const dns::Query& query;
    const std::uint8_t* qname_as_sent = nullptr;  // query.qname_len bytes in the client's case
    IpAddress client;
    std::uint16_t client_port = 0;
    std::uint64_t started_ms = 0;
    // Those of the client's options that a forward_edns0opt may pass on.
    std::span<const std::uint8_t> options;
    Buffer* injected = nullptr;  // that brought it, if the program asks for its texts

    // Begins where the plan says (nullptr: at this entry of the program).
    void begin(const Plan* plan, std::uint8_t by_entry = 0) noexcept {
        if (plan == nullptr) {
            state.pc = snapshot.entries[by_entry];
        } else {
            plan->begin(state);
        }
    }

    int looked_up =
        -1;  // the cache (Snapshot::caches) that `found` is of (nullptr: it has nothing); -1: none
    const cache::Entry* found = nullptr;

    // What is asked inside of the wrappers that were entered.
    [[nodiscard]] const dns::Query& asked() const { return rewritten ? *rewritten : query; }
    // After `state` was set, or its rewrites changed.
    void rewrite_question() noexcept {
        rewritten.reset();
        if (state.rewrites.count() == 0) return;
        rewrite(snapshot, state.rewrites, state.rewrites.count(), client, rewritten.emplace(query));
    }
    // The question under the first `level` rewrites; `room` is where it is put if it is neither of the two above.
    [[nodiscard]] const dns::Query& asked_under(unsigned level, dns::Query& room) const noexcept {
        if (level == state.rewrites.count()) return asked();
        room = query;
        rewrite(snapshot, state.rewrites, level, client, room);
        return room;
    }

    ProgramState state;
    std::optional<dns::Query> rewritten;
    Response response;
    std::uint16_t group = 0;     // Step::asks: whom
    std::uint32_t sleep_ms = 0;  // Step::sleeps: how long
    bool failed = false;         // the program ended with an error: nobody answered
    // Set by run(): the cache (its pc) whose answer for this question is to be asked for anew, unasked.
    static constexpr std::uint16_t kNoRefresh = UINT16_MAX;
    std::uint16_t refresh_pc = kNoRefresh;
    Rewrites refresh_rewrites;  // as they were there

    // The executor's own, for this run only.
    const cache::Entry* entry = nullptr;   // of this name and generation: remembers its tag set
    const cache::Entry* replay = nullptr;  // answers the first forward
    const cache::Entry* stale = nullptr;   // answers every forward, as stale ...
    std::uint32_t stale_ttl_s = 0;         // ... with this TTL
    const matchers::TagBits* tags = nullptr;
    matchers::TagBits own_tags;  // when they have no id
};

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
             BufferPools& buffers, Keeper& keeper, Ring<Note>* notes, Counters& counters);

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
    void leave_prefer(const QueryContext& c, std::uint32_t prefer, Now now) noexcept;
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
    void leave_one(QueryContext& c, Now now) noexcept;
    void leave_instance(QueryContext& c, std::uint16_t instance, Now now) noexcept;

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
    void leave_list(QueryContext& c, std::uint8_t list) noexcept;
    // executor_guard.cpp. A hit in the guarded cache at c.state.pc: the lists become those that a miss of this client
    // would have claimed its answer for. The response is anything then.
    void claim_as_missed(QueryContext& c, const cache::Entry& hit, const CacheInstance& settings,
                         Now now) noexcept;
    void leave_as_missed(QueryContext& c, unsigned depth) noexcept;
    [[nodiscard]] static bool in_guarded_cache(const Program& program,
                                               const ProgramState& s) noexcept;
    // What ProgramState::lacks_family asked for.
    static void answer_without_family(QueryContext& c) noexcept;

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
    Keeper& keeper_;
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
