// The way of a query from its lookup to its answer: runs the program, parks what has to wait, and
// lets it go.
//
// A query waits for an upstream (Forwarder), for a router's acknowledgement (async: false), or for
// room in the ring to `routers`. One whose cache has a stale answer gets that when the upstream takes too long
// (RFC 8767 5); its record goes on waiting as a refresh in the background, of which nobody is told. Refreshes of
// popular or stale answers are such records from the start; what they bring is claimed, and waited for by nobody.
// While it waits it is a Parked record; nothing parked holds a cache
// entry or a received mbuf. Held answers leave in the order of their acknowledgements, or as
// on_timeout says when sync_timeout is over.
//
// Ends: those of Replier, and Verdict::forwarded, held, drop_parked_full, drop_client_quota,
//       drop_suffix_quota, drop_ring_full, drop_no_buffer, drop_router_away; every PendingOutcome.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/event/claims.h"
#include "dataplane/event/event.h"
#include "dataplane/event/shared_watch.h"
#include "dataplane/forward/forwarder.h"
#include "dataplane/forward/timer_wheel.h"
#include "dataplane/policy/executor.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/parked_pool.h"
#include "dataplane/stages/reply.h"

namespace steer {

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
        Counters& counters;
    };
    struct Options {
        unsigned max_parked;
        bool servfail_over_quota;  // who is over a quota is told SERVFAIL; else nothing
    };
    Resolver(const Parts& parts, const Options& options);

    // The program stage: every query that is still in the burst ends here or is parked.
    void resolve(Burst& burst, const Snapshot& snapshot, Now now) noexcept;

    // A parked query's answer from the forwarder; takes over the buffer.
    void answered(Parked& p, UpstreamResult end, Buffer* answer, Now now) noexcept;
    // MessageKind::acknowledged. A token that is not awaited any more is ignored.
    void acknowledged(std::uint64_t hold_token, Outcome outcome, Now now) noexcept;
    // Timeouts of held answers, those that wait for the ring, and the end of retired generations
    // (Shared::retire_generation). Bounded work. Once per turn.
    void tick(std::uint32_t retire_generation, Now now) noexcept;
    // When tick() has something to do; UINT64_MAX: nothing waits here.
    [[nodiscard]] std::uint64_t next_deadline_ms(Now now) const noexcept;

    // Answers with p.found, if nothing has to be run for that. `query` needs no name.
    bool answer_hit(Packet& p, const Snapshot& snapshot, Now now) noexcept;

  private:
    // How long the TTLs of a plain hit may be at most, whose rows are known to be there; nothing: run the program.
    std::optional<std::uint32_t> covered_ttl_s(const Packet& p, const Snapshot& snapshot,
                                               const Plan& plan, Now now) noexcept;

    // A query on its way through the program: in its packet, in a record since it had to wait, or (a branch) in
    // neither as long as it need not wait.
    struct ResolveContext {
        QueryContext& c;
        Packet* packet = nullptr;
        Parked* record = nullptr;
        ResolveContext* parent = nullptr;      // of a branch without a record
        std::uint8_t branch = 0;               // ... and which it is
        Verdict refused = Verdict::forwarded;  // a packet's: why it got no record
    };

    // Those of the client's options that the program may pass on.
    void take_options(const Packet& p, std::span<std::uint8_t> room, QueryContext& c) noexcept;
    void resolve_one(Packet& p, QueryContext& c, Now now) noexcept;
    void ask(Packet& p, const QueryContext& c, Now now) noexcept;
    // The rest of a packet's query that sleeps or has branches.
    void resolve_waiting(Packet& p, QueryContext& c, Step step, Now now) noexcept;
    // Asks anew for what the cache at c.refresh_pc keeps.
    void refresh(const ResolveContext& w, Now now) noexcept;
    void end_refresh(Parked& p, const QueryContext& c, Now now) noexcept;
    // The record of a query, which is parked now if it was not; nullptr: there is none for it.
    Parked* record_of(ResolveContext& w) noexcept;
    void copy_query(const ResolveContext& w, Parked& to) const noexcept;

    // From where the program stands until it is over or has to wait.
    Step go_on(ResolveContext& w, Step step, Now now) noexcept;
    // Makes the record wait for what `step` says. False: no room.
    bool park(Parked& p, const QueryContext& c, Step step, Now now) noexcept;
    // What becomes of a record whose program came to `step`; `end` if it is over.
    void settle(Parked& p, QueryContext& c, Step step, PendingOutcome end, Now now) noexcept;
    // The response so far, which a parked query has again when it goes on. False: no buffer.
    bool keep(Parked& p, const QueryContext& c, Now now) noexcept;
    void set_timer(Parked& p, Now now) noexcept;
    void on_timer(Parked& p, Now now) noexcept;
    void wake(Parked& p, Now now) noexcept;

    // ---- branches (resolver_branches.cpp)

    // Responses of branches that are not in records, or in the record that just came to its end.
    struct InHand {
        std::array<QueryContext*, kMostBranches> c{};
        std::array<Parked*, kMostBranches> record{};
    };
    Step run_branches(ResolveContext& w, Branches b, InHand in_hand, Now now) noexcept;
    Branches::Is begin_branch(ResolveContext& w, unsigned which, QueryContext& branch, Branches& b,
                              Now now) noexcept;
    static void note_end(const QueryContext& branch, Branches::Is is, Branches& b) noexcept;
    bool wait_for_branches(ResolveContext& w, const Branches& before, const Branches& b,
                           const InHand& in_hand, Now now) noexcept;
    Step take_branch(ResolveContext& w, unsigned which, const InHand& in_hand, Now now) noexcept;
    void stop_waiting(ResolveContext& w) noexcept;
    // A branch's program is over: its parent is told, if it still waits for it.
    void deliver(Parked& p, QueryContext& c, Now now) noexcept;
    void consider(Parked& parent, const Branches& b, const InHand& in_hand, Parked* done,
                  Now now) noexcept;
    void end_branch(Parked& p) noexcept;

    // The client of `p` has waited long enough: it gets a stale answer, if there is one, and `p` becomes a refresh.
    void answer_stale(Parked& p, Now now) noexcept;
    // Addresses that a list does not take do not leave. False: no buffer for what is left.
    bool shorten(QueryContext& c, Now now) noexcept;
    void leave(Packet& p, QueryContext& c, Now now) noexcept;
    void leave(Parked& p, QueryContext& c, PendingOutcome end, Now now) noexcept;

    // Makes the record wait as `terms` say. False: no buffer for the answer.
    bool wait(Parked& p, const QueryContext& c, const LeavingAnswer& a, const LeaveTerms& terms,
              Now now) noexcept;
    void start_hold(Parked& p, const LeavingAnswer& a, const LeaveTerms& terms, Now now) noexcept;
    // The answer of a record that waited leaves; the record is freed.
    void let_go(Parked& p, PendingOutcome end, Now now) noexcept;
    void end_by_policy(Parked& p, Now now) noexcept;
    void end_with_servfail(Parked& p, const dns::Query& q, dns::Ede ede,
                           PendingOutcome end) noexcept;
    void give_back(Parked& p) noexcept;

    void retry_ring(Now now) noexcept;
    void append_ring_waiter(Parked& p) noexcept;
    void remove_ring_waiter(Parked& p) noexcept;
    void retire(std::uint32_t generation) noexcept;
    void end_generation(Parked& p) noexcept;

    // No record for a query.
    void refuse(Packet& p, Verdict why) noexcept;

    Parts parts_;
    bool servfail_over_quota_;
    forward::TimerWheel timers_;    // by index of the record
    Parked* ring_first_ = nullptr;  // State::waits_ring, by next_waiter, oldest first
    Parked* ring_last_ = nullptr;
    std::uint32_t retired_ = 0;   // generations up to this are done
    std::uint32_t retiring_ = 0;  // ... and up to this are being ended,
    unsigned retire_at_ = 0;      // from this record on
};

}  // namespace steer
