// Handles a query from its lookup to its answer: runs the program, parks the query if it has to
// wait, and sends the answer.
//
// A query waits for an upstream (Forwarder), for a router's acknowledgement (async: false), or for
// space in the ring to `routers`. If the upstream takes too long, a stale answer of the cache is
// sent (RFC 8767 5), and the record becomes a background refresh without a client. Refreshes of
// popular or stale answers are such records from the start. Their answers are claimed, but no
// client waits for the rows. A waiting query is a Parked record, which holds neither a cache entry
// nor a received mbuf. Held answers are sent in the order of their acknowledgements. When
// sync_timeout is over, on_timeout decides; when a list has no space, on_full decides.
//
// Ends: those of Replier, and Verdict::forwarded, held, drop_parked_full, drop_client_quota,
//       drop_suffix_quota, servfail_quota, truncated_quota, drop_ring_full, drop_no_buffer,
//       drop_router_away, refused_norecurse, loop_test; every PendingOutcome; those of limit.h.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/answer/zone_targets.h"
#include "dataplane/event/claims.h"
#include "dataplane/event/event.h"
#include "dataplane/event/shared_watch.h"
#include "dataplane/forward/forwarder.h"
#include "dataplane/forward/timer_wheel.h"
#include "dataplane/limits/limiter.h"
#include "dataplane/policy/executor.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/parked_pool.h"
#include "dataplane/stages/ready_reply.h"
#include "dataplane/stages/reply.h"
#include "dataplane/stages/tracer.h"

namespace steer {

// No query waits again after this time. So none has a number of LiveTargets after the rest of that
// number: one wait takes a minute at most.
inline constexpr std::uint64_t kLongestParkedMs = 300'000;
static_assert(LiveTargets::kRestS * 1000 >= kLongestParkedMs + 120'000);

class Resolver {
  public:
    struct Parts {
        const cache::KeyHasher& hasher;
        BufferPools& buffers;
        Executor& executor;
        Claims& claims;
        SharedWatch& shared_watch;
        ParkedPool& pool;
        Forwarder& forwarder;
        Replier& replier;
        Limiter& limiter;
        Tracer& tracer;
        forward::LoopBoard& loops;
        Counters& counters;
    };
    struct Options {
        unsigned max_parked;
        OverQuota over_quota;
    };
    Resolver(const Parts& parts, const Options& options);

    // The program stage: each query of the burst ends here or is parked.
    void resolve(Burst& burst, const Snapshot& snapshot, Now now) noexcept;

    // The forwarder's answer to a parked query. Takes ownership of the buffer.
    void answered(Parked& p, UpstreamResult end, Buffer* answer, Now now) noexcept;
    // Handles MessageKind::acknowledged. Ignores a token that no record waits for.
    void acknowledged(std::uint64_t hold_token, Outcome outcome, Now now) noexcept;
    // Handles timeouts of held answers, answers that wait for the ring, and the end of retired
    // generations (Shared::retire_generation). Bounded work. Once per turn.
    void tick(std::uint32_t retire_generation, Now now) noexcept;
    // The time of the next work for tick(); UINT64_MAX if nothing waits.
    [[nodiscard]] std::uint64_t next_deadline_ms(Now now) const noexcept;

    // Answers with p.found, if that needs no run of the program. `query` needs no name. `path`: the
    // stage that found the entry. `now_s`: now.s(), which costs a division.
    bool answer_hit(Packet& p, const Snapshot& snapshot, AnswerPath path, Now now,
                    std::uint32_t now_s) noexcept;
    // Makes the reply that answer_hit() would send for the rest of this second. `query_sum`:
    // checksum_fold() of the message without its ID. `covered`: the answer has lists, so packets
    // need renew_if_covered() or count_covered(). `checked`: each needs the former.
    Readiness prepare(const Packet& p, const Snapshot& snapshot, std::uint32_t now_s,
                      std::uint16_t query_sum, ReadyReply& reply) noexcept;
    // Returns whether the rows of p.found's lists are known to exist. Then it counts the packet as
    // covered, so answer_ready() must end it, and gives `reply` the TTLs that they allow. `changes`:
    // list_changes(), read before the call.
    bool renew_if_covered(const Packet& p, const Snapshot& snapshot, Now now, std::uint32_t now_s,
                          std::uint64_t changes, std::uint16_t query_sum,
                          ReadyReply& reply) noexcept;
    [[nodiscard]] std::uint64_t list_changes() const noexcept {
        return parts_.claims.list_changes();
    }
    // In place of renew_if_covered(), in the same second, while ReadyReply::covered_while is
    // list_changes().
    void count_covered() noexcept { parts_.claims.count_covered(); }
    // Prefetches the place of the next record.
    void prefetch_record() const noexcept { parts_.replier.prefetch_record(); }
    // The number of queries that end until one gets a record. 1: the next one, which
    // answer_ready_recorded() has to end. UINT32_MAX: control requests no records.
    [[nodiscard]] std::uint32_t until_record() const noexcept {
        return parts_.replier.until_record();
    }
    // Answers a received packet from prepare()'s reply to its bytes. `question_end`: of its query.
    [[gnu::always_inline]] void answer_ready(Packet& p, const ReadyReply& reply,
                                             std::size_t question_end) noexcept {
        parts_.replier.answer_ready(p, reply, question_end);
    }
    // The plan of a plain hit, for its record. nullptr: the entry belongs to another generation,
    // because workers follow a reload.
    [[nodiscard]] const Plan* plan_of(const cache::Entry& entry, const Packet& p,
                                      const Snapshot& snapshot) noexcept;
    // The same with a record, if there is a plan for it. `p.query` needs no name.
    void answer_ready_recorded(Packet& p, const Snapshot& snapshot,
                               const ReadyReply& reply) noexcept;
    // Limits on answers, for one packet.
    struct UnderLimits {
        const Limiter::Batching& batching;  // limit_batches()
        std::uint32_t name;                 // limit_name()
        AnswerBatches::Batch batch;         // batch_of()
    };
    // The same under the limits on answers, if Snapshot::limits has some. Packets above a limit end
    // here, too.
    [[gnu::always_inline]] bool answer_under_limits(Packet& p, const Snapshot& snapshot,
                                                    AnswerPath path, const UnderLimits& limits,
                                                    Now now, std::uint32_t now_s) noexcept {
        p.end = Verdict::answered;  // for its trace, unless a limit ends it
        if (!limits.batching.add(limits.batch)) [[unlikely]]
            return answer_unbatched(p, snapshot, path, limits.batching, limits.name, now);
        if (answer_hit(p, snapshot, path, now, now_s)) [[likely]]
            return true;
        limits.batch.undo();
        return false;
    }
    // Limiter::name_key() of a query's answer; 0 without records, or without limits on answers.
    [[nodiscard]] std::uint32_t limit_name(const dns::Query& query, const dns::Answer& answer,
                                           const Snapshot& snapshot) const noexcept;
    [[nodiscard]] Limiter::Batching limit_batches(const Snapshot& snapshot,
                                                  std::uint32_t now_s) const noexcept {
        return {parts_.limiter, *snapshot.limits, now_s};
    }

  private:
    // False: the reply is too long.
    static bool make_ready(const Packet& p, std::uint32_t now_s, std::uint32_t ttl_cap_s,
                           std::uint16_t query_sum, ReadyReply& reply) noexcept;
    const Plan* plain_plan(const cache::Entry& e, const Packet& p, const Snapshot& snapshot,
                           std::uint32_t now_s) noexcept;
    // `batching`: of an answer in no batch, which limits have to pass; nullptr: no limits.
    bool answer_hit_as(Packet& p, const Snapshot& snapshot, AnswerPath path, Now now,
                       std::uint32_t now_s, const Limiter::Batching* batching,
                       std::uint32_t name) noexcept;
    bool answer_unbatched(Packet& p, const Snapshot& snapshot, AnswerPath path,
                          const Limiter::Batching& batching, std::uint32_t name, Now now) noexcept;
    // False: the answer passes.
    bool end_limited_hit(Packet& p, const Snapshot& snapshot, const Limiter::Batching& batching,
                         std::uint32_t name, Now now) noexcept;
    // Answers the hits of the burst that need no run of the program. Returns their number.
    unsigned answer_hits(Burst& burst, const Snapshot& snapshot, Now now) noexcept;
    // The same under the limits on answers.
    unsigned answer_limited_hits(Burst& burst, const Snapshot& snapshot, Now now) noexcept;
    // These end the query if its answer, or the answers of a domain that it misses, are above a
    // limit. False: nothing happened.
    bool end_limited_answer(Packet& p, const QueryContext& c, Now now) noexcept;
    bool end_limited_answer(Parked& p, const QueryContext& c, Now now) noexcept;
    bool end_limited_miss(Packet& p, const QueryContext& c, Now now) noexcept;
    // The largest TTL of a plain hit whose rows are known to exist. No value: run the program.
    std::optional<std::uint32_t> covered_ttl_s(const Packet& p, const Snapshot& snapshot,
                                               const Plan& plan, Now now) noexcept;
    void answer_other_hit(Packet& p, const Plan& plan, std::uint32_t age_s, std::uint32_t ttl_cap_s,
                          AnswerPath path) noexcept;

    // A query in its program. It is in its packet, or after the first wait in a record. A branch
    // that has not waited is in neither.
    struct ResolveContext {
        QueryContext& c;
        Packet* packet = nullptr;
        Parked* record = nullptr;
        ResolveContext* parent = nullptr;      // of a branch without a record
        std::uint8_t branch = 0;               // ... and which it is
        Verdict refused = Verdict::forwarded;  // of a packet: why it got no record
    };

    // Selects the client's options that the program may pass on.
    void take_options(const Packet& p, std::span<std::uint8_t> room, QueryContext& c) noexcept;
    // For packets of Burst::set_aside: forgets what lookup() found.
    static void take_back_lookup(Burst& burst) noexcept;
    // A packet of Burst::traced or set_aside, before its program runs.
    void begin_marked(Packet& p, QueryContext& c, Burst& burst, unsigned place, Now now) noexcept;
    // Refuses a query without RD that no local data and no cache answered. False: it has an answer.
    bool refuse_norecurse(Packet& p, const QueryContext& c, Now now) noexcept;
    void resolve_one(Packet& p, QueryContext& c, Now now) noexcept;
    void ask(Packet& p, const QueryContext& c, Now now) noexcept;
    // Parks a packet's query that sleeps or has branches.
    void resolve_waiting(Packet& p, QueryContext& c, Step step, Now now) noexcept;
    // Starts a refresh of the entry in the cache at c.refresh_pc.
    void refresh(const ResolveContext& w, Now now) noexcept;
    void end_refresh(Parked& p, const QueryContext& c, Now now) noexcept;
    // The query's record. Parks a query that has none. nullptr: no record is free.
    Parked* record_of(ResolveContext& w) noexcept;
    void copy_query(const ResolveContext& w, Parked& to) const noexcept;

    // Continues the program until it ends or has to wait.
    Step go_on(ResolveContext& w, Step step, Now now) noexcept;
    // Makes the record wait as `step` says. Returns false if there is no free slot.
    bool park(Parked& p, const QueryContext& c, Step step, Now now) noexcept;
    // Handles the `step` of a record's program; `end`: used if the program has ended.
    void settle(Parked& p, QueryContext& c, Step step, PendingOutcome end, Now now) noexcept;
    // Stores the response so far, which a parked query needs to continue. Returns false if no
    // buffer is free.
    bool keep(Parked& p, const QueryContext& c, Now now) noexcept;
    void set_timer(Parked& p, Now now) noexcept;
    void on_timer(Parked& p, Now now) noexcept;
    void wake(Parked& p, Now now) noexcept;

    // ---- branches (resolver_branches.cpp)

    // Responses of branches that are not in records, or in the record that just ended.
    struct InHand {
        std::array<QueryContext*, kMaxBranches> c{};
        std::array<Parked*, kMaxBranches> record{};
    };
    Step run_branches(ResolveContext& w, Branches b, InHand in_hand, Now now) noexcept;
    Branches::Is begin_branch(ResolveContext& w, unsigned which, QueryContext& branch, Branches& b,
                              Now now) noexcept;
    static void note_end(const QueryContext& branch, Branches::Is is, Branches& b) noexcept;
    bool wait_for_branches(ResolveContext& w, const Branches& before, const Branches& b,
                           const InHand& in_hand, Now now) noexcept;
    Step take_branch(ResolveContext& w, unsigned which, const InHand& in_hand, Now now) noexcept;
    void stop_waiting(ResolveContext& w) noexcept;
    // For a branch whose program has ended: notifies its parent, if the parent still waits for it.
    void deliver(Parked& p, QueryContext& c, Now now) noexcept;
    void consider(Parked& parent, const Branches& b, const InHand& in_hand, Parked* done,
                  Now now) noexcept;
    void end_branch(Parked& p) noexcept;

    // The client of `p` has waited long enough: sends a stale answer, if there is one, and turns
    // `p` into a refresh.
    void answer_stale(Parked& p, Now now) noexcept;
    // Adapts the response to what its lists can claim: removes additional records that no row can
    // cover, and addresses above max_addresses. Returns false if no buffer is free.
    bool fit_to_lists(QueryContext& c, Now now) noexcept;
    bool leave_out(QueryContext& c, Now now) noexcept;
    bool shorten(QueryContext& c, Now now) noexcept;
    void leave(Packet& p, QueryContext& c, Now now) noexcept;
    void leave(Parked& p, QueryContext& c, PendingOutcome end, Now now) noexcept;

    // Makes the record wait as `terms` say. Returns false if there is no buffer for the answer.
    bool wait(Parked& p, const QueryContext& c, const LeavingAnswer& a, const LeaveTerms& terms,
              Now now) noexcept;
    void start_hold(Parked& p, const LeavingAnswer& a, const LeaveTerms& terms, Now now) noexcept;
    // Sends the answer of a record that waited, and frees the record.
    void let_go(Parked& p, PendingOutcome end, Now now) noexcept;
    // Ends a hold: all results are there, or the time is over.
    void end_hold(Parked& p, Now now) noexcept;
    void end_by_policy(Parked& p, Now now) noexcept;
    // Ends a hold because a list had no space: on_full decides.
    void end_refused(Parked& p, Now now) noexcept;
    void end_with_servfail(Parked& p, const dns::Query& q, dns::Ede ede,
                           PendingOutcome end) noexcept;
    void give_back(Parked& p) noexcept;

    void retry_ring(Now now) noexcept;
    void append_ring_waiter(Parked& p) noexcept;
    void remove_ring_waiter(Parked& p) noexcept;
    void retire(std::uint32_t generation) noexcept;
    void end_generation(Parked& p) noexcept;

    // Ends a query that got no record.
    void refuse(Packet& p, const QueryContext& c, Verdict why) noexcept;
    // Ends a query without an answer.
    void drop(Packet& p, const QueryContext& c, Verdict why) noexcept;
    // Whether a query above its domain's quota gets SERVFAIL; else it gets no reply.
    [[nodiscard]] bool gets_quota_error(bool over_tcp) const noexcept {
        return over_quota_ == OverQuota::servfail ||
               (over_quota_ == OverQuota::truncate && over_tcp);
    }

    // ---- traces

    // Restores a record's query as it was when it was parked.
    void read_query(const Parked& r, QueryContext& c) noexcept;
    static void note_leaving(const QueryContext& c, const LeavingAnswer& a, const LeaveTerms& terms,
                             Now now) noexcept;
    static void note_packet_end(Packet& p, const QueryContext& c, const dns::Answer& answer,
                                const dns::ReplyOptions& options, Verdict v, Now now) noexcept;
    void trace_packet(Packet& p, QueryContext& c, const Snapshot& snapshot, Burst& burst,
                      unsigned place, Now now) noexcept;

    Parts parts_;
    OverQuota over_quota_;
    forward::TimerWheel timers_;    // by index of the record
    Parked* ring_first_ = nullptr;  // in State::waits_ring, chained by next_waiter, oldest first
    Parked* ring_last_ = nullptr;
    std::uint32_t retired_ = 0;   // generations up to this are done
    std::uint32_t retiring_ = 0;  // ... and up to this are in progress,
    unsigned retire_at_ = 0;      // from this record on
};

}  // namespace steer
