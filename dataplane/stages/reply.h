// Sends answers: in the mbuf of the query, in a buffer for `streams`, or, for a parked query, in a
// new packet or buffer.
//
// In:   a query of the burst or a parked record, and the answer as dns::Answer with age and caps.
//       A moved query returns to the worker whose port received it.
// Out:  a packet in Transmit, or a message to streams. The query's mbuf or buffer is used up in any
//       case.
//       With `dataplane.reply: route` it leaves by the route of the client.
// Cost: in place: one copy of the body, one sum over the packet. Allocates only mbufs and pool
//       buffers.
//
// Ends: Verdict::answered, answered_truncated (RFC 6891 6.2.3), answered_error, refused_client,
//       drop_no_buffer, drop_ring_full, drop_tx_full (by Transmit) and the argument of drop(); the
//       same of Moved and of Injected; PendingOutcome. Each goes to QueryEnds, too.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/buffer.h"
#include "dataplane/base/counters.h"
#include "dataplane/dns/answer.h"
#include "dataplane/policy/parked.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/cookies.h"
#include "dataplane/stages/query_ends.h"
#include "dataplane/stages/ready_reply.h"
#include "dataplane/stages/shared.h"
#include "dataplane/stages/transmit.h"

namespace steer {

class Tracer;

// The Injected and the Moved for a verdict. Abort on a verdict that such a query never gets.
Injected injected_for(Verdict v) noexcept;
Moved moved_for(Verdict v) noexcept;

class Replier {
  public:
    static constexpr unsigned kMostNotifies = 256;

    // `owners`: Shared::port_owners.
    Replier(unsigned worker, std::span<Port* const> ports,
            const std::vector<Shared::PortOwner>& owners, const WorkerRings& rings,
            BufferPools& buffers, Transmit& transmit, Tracer& tracer, QueryEnds& query_ends,
            Cookies& cookies, Counters& counters);

    // The table of this turn.
    void use(const NextHopTable* table) noexcept {
        routes_ = table != nullptr ? table->reply_routes.get() : nullptr;
    }

    // Answers a query of the burst. Returns the verdict that is counted if the port accepts the
    // packet.
    Verdict answer(Packet& p, const dns::Answer& answer, const dns::ReplyOptions& options,
                   const AnswerSource& source) noexcept;
    // The same for a query that is_plain(). `hit`: the entry of a plain hit, else nullptr.
    Verdict answer_plain(Packet& p, const dns::Answer& answer, const dns::ReplyOptions& options,
                         AnswerPath path, const cache::Entry* hit = nullptr) noexcept;
    // Sends a ready reply to a received query, after until_record() was not 1.
    void answer_ready(Packet& p, const ReadyReply& reply, std::size_t question_end) noexcept;
    // The same if it was 1: also writes the query's record. `p.query` must be filled, except its
    // name, and note_plan() called.
    void answer_ready_recorded(Packet& p, const ReadyReply& reply) noexcept;
    void prefetch_record() const noexcept { query_ends_.prefetch_record(); }
    [[nodiscard]] std::uint32_t until_record() const noexcept { return query_ends_.until_due(); }
    // Whether the query arrived by a port and gets no record. Call it once for each query, because
    // it counts for sampling.
    [[nodiscard]] bool is_plain(const Packet& p) noexcept {
        return p.mbuf != nullptr && !query_ends_.is_due();
    }
    // Notes the plan of a plain hit, or the program, for the query's record. Call it before the
    // query's end, if that has no AnswerSource::state.
    void note_plan(const Plan* plan) noexcept { query_ends_.note_plan(plan); }
    void note_program(const ProgramState* state) noexcept { query_ends_.note_program(state); }
    // Counts a plain hit that answers a query without is_plain().
    void count_hit(const cache::Entry& entry) noexcept { query_ends_.hit(entry.instance); }
    // Answers a query without is_plain().
    Verdict answer_other(Packet& p, const dns::Answer& answer, const dns::ReplyOptions& options,
                         const AnswerSource& source) noexcept;
    // Sends an empty reply and counts it as `v`.
    void answer_error(Packet& p, std::uint16_t rcode, std::optional<dns::Ede> ede,
                      Verdict v) noexcept;
    // Sends an empty reply with TC, so that the client repeats the query over TCP.
    void answer_truncated(Packet& p, Verdict v) noexcept;
    // Sends no answer. For a TCP client, it notifies `streams`, which can close the connection.
    void drop(Packet& p, Verdict v) noexcept;
    // Passes a NOTIFY from Snapshot::notify_from to control, which answers it by a kernel socket.
    // Senders can be forged, so a worker passes kMostNotifies a second.
    void pass_notify(Packet& p) noexcept;
    // Counts a query that continues in a parked record.
    void park(Packet& p, Verdict v) noexcept;

    // Stores the return path of the query for answer().
    void remember_path(const Packet& p, ReturnPath& path) const noexcept;

    // Answers a parked query. `end` is counted if the complete answer is sent.
    void answer(const Parked& p, const dns::Query& q, const dns::Answer& answer,
                dns::ReplyOptions options, PendingOutcome end) noexcept;
    void drop(const Parked& p, PendingOutcome end) noexcept;

    // At the end of a turn: wakes the threads that were given answers. So a thread on the same core
    // finds all of them when it runs.
    void wake_streams() noexcept {
        for (; streams_to_wake_ != 0; streams_to_wake_ &= streams_to_wake_ - 1)
            rings_.to_stream[static_cast<unsigned>(__builtin_ctz(streams_to_wake_))]->wake();
    }

  private:
    void count(const Packet& p, Verdict v) noexcept;
    void count_ready(const ReadyReply& reply) noexcept;
    void send_ready(Packet& p, const ReadyReply& reply, std::size_t length) noexcept;
    // Counts and records the end of a query that a worker does not answer.
    void end_without_answer(Packet& p, Verdict v) noexcept;
    void free_query(Packet& p) noexcept;
    Verdict answer_injected(Packet& p, const dns::Answer& answer, const dns::ReplyOptions& options,
                            const AnswerSource& source) noexcept;
    Verdict answer_recorded(Packet& p, const dns::Answer& answer, const dns::ReplyOptions& options,
                            const AnswerSource& source) noexcept;
    // With `truncated`, the reply has TC.
    void answer_empty(Packet& p, std::uint16_t rcode, std::optional<dns::Ede> ede, bool truncated,
                      Verdict v) noexcept;
    void answer_empty_injected(Packet& p, std::uint16_t rcode, std::optional<dns::Ede> ede,
                               bool truncated, Verdict v) noexcept;
    // `frame`: its new length.
    void send_turned(Packet& p, std::uint16_t frame, Verdict v) noexcept;
    void send_in_place(Packet& p, std::size_t length, std::uint64_t sum, Verdict v) noexcept;
    // The lane of a packet to this client, and its next hop. `hop` is nullptr: it goes back to the
    // sender, by `lane`.
    struct Outward {
        std::uint8_t lane;
        const NextHop* hop;
    };
    [[nodiscard]] Outward outward(const IpAddress& client, std::uint8_t lane,
                                  int if_index) const noexcept;
    [[nodiscard]] std::uint8_t lane_of(const Packet& p) const noexcept {
        return routes_ == nullptr ? p.port : routed(p).lane;
    }
    [[nodiscard]] Outward routed(const Packet& p) const noexcept;
    void send_by_route(Packet& p, rte_mbuf* m, Verdict v) noexcept;
    void apply(const Outward& out, rte_mbuf& m, std::uint8_t l3_offset) noexcept;
    [[nodiscard]] bool is_moved(const Packet& p) const noexcept {
        return p.injected == nullptr && p.port >= ports_.size();
    }
    QueryRecord* record(const Packet& p, Verdict v, const AnswerSource& source,
                        const SentReply& reply) noexcept;
    QueryRecord* record(const Parked& p, PendingOutcome end, const SentReply& reply) noexcept;
    // Begins a response for streams, with header and question. Returns nullptr if no buffer is
    // free.
    Buffer* start_response(const std::uint8_t* header, std::span<const std::uint8_t> question,
                           std::size_t bytes) noexcept;
    [[nodiscard]] bool to_stream(unsigned stream, std::uint64_t token, Buffer* response) noexcept;
    [[nodiscard]] const Shared::PortOwner& owner_of(const ReturnPath& path) const noexcept;
    [[nodiscard]] rte_mempool* pool_of(const ReturnPath& path) const noexcept;
    PendingOutcome answer_by_port(const Parked& p, const dns::Query& q, const dns::Answer& answer,
                                  const dns::ReplyOptions& options, PendingOutcome end) noexcept;
    PendingOutcome answer_by_stream(const Parked& p, const dns::Query& q, const dns::Answer& answer,
                                    const dns::ReplyOptions& options, PendingOutcome end) noexcept;

    std::span<Port* const> ports_;
    const std::vector<Shared::PortOwner>& owners_;
    const WorkerRings& rings_;
    BufferPools& buffers_;
    Transmit& transmit_;
    Tracer& tracer_;
    QueryEnds& query_ends_;
    Cookies& cookies_;
    Counters& counters_;
    const ReplyRoutes* routes_ = nullptr;
    std::uint8_t worker_;
    std::uint32_t streams_to_wake_ = 0;  // bit i: of WorkerRings::to_stream
    std::uint64_t notify_second_ = 0;    // of the time stamp counter
    unsigned notifies_ = 0;              // in this second
};

}  // namespace steer
