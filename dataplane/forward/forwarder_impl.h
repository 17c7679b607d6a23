// The forwarder's implementation, shared by its five sources. forwarder.cpp: input and output.
// requests.cpp: which upstream gets a query, and when. replies.cpp: what a reply means.
// results.cpp: results to waiters. loops.cpp: questions that come back.
#pragma once

#include <array>

#include "dataplane/base/domain_counts.h"
#include "dataplane/forward/chacha_random.h"
#include "dataplane/forward/failing_names.h"
#include "dataplane/forward/forwarder.h"
#include "dataplane/forward/loop_tests.h"
#include "dataplane/forward/outstanding_queries.h"
#include "dataplane/forward/source_ports.h"
#include "dataplane/forward/timer_wheel.h"
#include "dataplane/forward/upstream_choice.h"
#include "dataplane/forward/upstream_cookies.h"
#include "matchers/domain/label_hash.h"

namespace steer {

inline constexpr std::uint64_t kNoRoomMs =
    2;  // delay of the next try when a port, ring or table was full

inline constexpr std::uint64_t kJostleMs =
    200;  // the shortest time that a query may wait, as unbound's jostle-timeout

// A group of upstreams may have this many times the free records in flight. So one group without
// answers leaves a 16th of the table, two of them a 31st.
inline constexpr unsigned kGroupShare = 15;

inline constexpr unsigned kManyOfDomain = 8;  // in flight: from here on, failures are counted

struct Forwarder::Impl {
    // In OutstandingQuery::next_send_ms: no other upstream gets the query.
    static constexpr std::uint64_t kNever = UINT64_MAX;

    using OutstandingQuery = forward::OutstandingQuery;
    using Attempt = forward::Attempt;
    using MemberMask = forward::MemberMask;

    enum class Sent : std::uint8_t {
        yes,
        no_route,  // no route to this upstream, perhaps to another one
        no_room,   // nothing can be sent now: no attempt, buffer, or space in the port or ring
    };
    enum class Reply : std::uint8_t {
        used,
        malformed,
        other_case,
        forged,      // it lacks the client cookie that was sent
        distrusted,  // it has no cookie; the question is repeated over TCP
        no_buffer,
    };

    Impl(const ForwarderOptions& o, BufferPools& b, ForwardSink& s, forward::LoopBoard& l,
         Counters& c);

    // forwarder.cpp
    void join(Parked* parked, std::uint64_t name_hash, Now now) noexcept;
    // Whether one of these levels has its share in flight. The share is smaller if the domain fails
    // while the table fills up.
    [[nodiscard]] bool is_over_share(const matchers::DomainKeys& keys, Now now) const noexcept;
    // Whether one of these levels has its share of what the group may have in flight: the same part
    // of it as of the table.
    [[nodiscard]] bool is_over_share_of(const InFlightLimit& limit,
                                        const matchers::DomainKeys& keys) const noexcept;
    // Whether the rest of the table is for questions to other groups. Then each new query needs the
    // place of an old one.
    [[nodiscard]] bool is_group_over_share(const forward::Question& question) noexcept;
    // Of a group: its queries in state `requesting`. Groups with the same first upstream count
    // together, so a group keeps its number in all generations. nullptr: it has no upstream.
    [[nodiscard]] std::uint32_t* in_flight_of(const Snapshot& snapshot,
                                              const UpstreamGroup& group) noexcept {
        if (group.members.empty()) return nullptr;
        return &by_first_upstream[snapshot.upstreams[group.members.front()].id];
    }
    // Ends the oldest query that has waited long enough. Returns false if there is none.
    bool displace(bool of_first_half, Now now) noexcept;
    // Counts a reply that matches no query and may be a forgery.
    void note_stray(const IpAddress& from, std::uint16_t from_port,
                    std::span<const std::uint8_t> dns, Now now) noexcept;
    [[nodiscard]] std::uint32_t name_key(std::span<const std::uint8_t> name,
                                         std::uint16_t qtype) const noexcept;

    // requests.cpp
    void start(std::uint32_t outstanding, Now now) noexcept;
    // Sends to the next member, if there is one. Sets the time for the member after it. Returns
    // true if the query was sent.
    bool ask_next(std::uint32_t outstanding, Now now) noexcept;
    Sent ask_member(std::uint32_t outstanding, unsigned member, bool edns, Now now) noexcept;
    // A query on the wire: of an outstanding query, or a question of a loop test.
    struct Outgoing {
        std::uint32_t outstanding = forward::kNone;
        std::uint16_t test = 0;                  // Attempt::test
        bool over_tcp = false;                   // as OutstandingQuery
        std::uint32_t attempt = forward::kNone;  // out: that of a sent query
    };
    // Sends the message at the start of `query`.
    Sent send(Outgoing& out, const Upstream& to, std::size_t length) noexcept;
    Sent send_in_frame(Outgoing& out, const Upstream& to, std::span<const std::uint8_t> dns,
                       const NextHop& hop) noexcept;
    Sent send_by_kernel(Outgoing& out, const Upstream& to, UpstreamVia via,
                        std::span<const std::uint8_t> dns) noexcept;
    // Notes what later identifies the attempt's reply.
    void note_sent(Attempt& a, const Upstream& to, Now now) const noexcept;
    void on_timer(std::uint32_t outstanding, Now now) noexcept;
    void end_attempts_in_silence(std::uint32_t outstanding, Now now) noexcept;
    void end_left_over_attempts(Now now) noexcept;
    // After a failed attempt: sends to another upstream, or ends the outstanding query if none is
    // left.
    void go_on(std::uint32_t outstanding, Now now) noexcept;
    void ask_again(std::uint32_t outstanding, Now now) noexcept;
    void end_or_wait(std::uint32_t outstanding, Now now) noexcept;
    // Sets the outstanding query's timer to its next event.
    void set_timer(std::uint32_t outstanding, Now now) noexcept;
    [[nodiscard]] const NextHop& hop_to(const Upstream& upstream) const noexcept;
    // Whether a query to this upstream has its name in random case; not over a connection.
    [[nodiscard]] bool has_random_case(const OutstandingQuery& f,
                                       const Upstream& to) const noexcept;
    // Whether one of its upstreams is queried over UDP.
    [[nodiscard]] static bool has_datagrams(const OutstandingQuery& f) noexcept;

    // replies.cpp
    Reply take_reply(std::uint32_t attempt, std::span<const std::uint8_t> dns, Now now) noexcept;
    void judge(std::uint32_t attempt, const dns::UpstreamFacts& facts, Buffer* answer,
               Now now) noexcept;
    // After a failed attempt: keeps `answer` as the last resort, unless there is a better one.
    // Sends to another upstream.
    void fail(const Attempt& attempt, Buffer* answer, Now now) noexcept;
    // Handles a negative answer while other upstreams with the same query have not replied. Returns
    // true if it waits for them, or was replaced; false if it is the result.
    bool hold_negative(std::uint32_t outstanding, Buffer* answer, Now now) noexcept;
    // Counts one more reply with a wrong id, port or name.
    void near_miss(std::uint32_t outstanding, Now now) noexcept;
    // The reply to this attempt has the name in another case.
    void on_other_case(std::uint32_t attempt, Now now) noexcept;
    void ask_over_tcp(std::uint32_t outstanding, unsigned member, Now now) noexcept;
    // The same, for another reason: it is not counted as suspected.
    void repeat_over_tcp(std::uint32_t outstanding, unsigned member, Now now) noexcept;
    // Whether the reply to this attempt has the cookies that it must have. If not, the attempt may
    // have ended.
    Reply check_cookie(std::uint32_t attempt, const dns::UpstreamFacts& facts, Now now) noexcept;
    // After BADCOOKIE: repeats the query once with the new cookie, then over TCP.
    void retry_with_cookie(const Attempt& attempt, Now now) noexcept;
    // After FORMERR to a query with a cookie: repeats it without one. Returns false if the cookie
    // is not the reason.
    bool retry_without_cookie(const Attempt& attempt, Now now) noexcept;
    void retry_without_edns(std::uint32_t outstanding, unsigned member, Now now) noexcept;
    // Sends the query to this member again. Without room now, the member is asked again later, and
    // nothing is concluded about it; returns false.
    bool repeat(std::uint32_t outstanding, unsigned member, bool edns, Now now) noexcept;
    void retry_over_tcp(std::uint32_t outstanding, unsigned member, Buffer* truncated,
                        Now now) noexcept;
    void on_kernel_reply(const Message& m, Now now) noexcept;
    bool put_in_order(const OutstandingQuery& f, dns::UpstreamFacts& facts,
                      Buffer*& buffer) noexcept;
    void keep_options(const Snapshot& snapshot, const dns::UpstreamFacts& facts,
                      Buffer& buffer) noexcept;
    Buffer* build(const Attempt& a, std::span<const std::uint8_t> dns, dns::UpstreamFacts& facts,
                  dns::AnswerError& error, Now now) noexcept;

    // loops.cpp
    // One more client waits for the query.
    void note_return(std::uint32_t outstanding, const IpAddress& client, Now now) noexcept;
    // Tests upstreams whose address the question had when it returned. If a proved loop returns it,
    // asks the next upstream, or ends the waiters that the loop brought.
    void check_returns(std::uint32_t outstanding, Now now) noexcept;
    void test_for_loop(std::uint32_t outstanding, unsigned member, Now now) noexcept;
    // Whether a member outside `in_loop` has the query now.
    bool asks_outside_loop(std::uint32_t outstanding, MemberMask in_loop, Now now) noexcept;
    void end_returns(std::uint32_t outstanding, std::span<const IpAddress> from) noexcept;
    Reply take_test_reply(std::uint32_t attempt, std::span<const std::uint8_t> dns,
                          Now now) noexcept;
    void settle_tests(Now now) noexcept;

    // What the upstreams did, for traced waiters (policy/trace.h); results.cpp
    void begin_trail(std::uint32_t outstanding, bool is_new, Now now) noexcept;
    static void note(const OutstandingQuery& f, TraceWhat what, unsigned flags,
                     std::uint16_t upstream, std::uint64_t b, Now now) noexcept {
        if (f.trail == nullptr) [[likely]]
            return;
        note_trail(*f.trail, {now.ms, what, static_cast<std::uint8_t>(flags), upstream,
                              static_cast<std::uint32_t>(b)});
    }

    // results.cpp
    // No more upstreams are queried; waiters remain.
    void end_requesting(std::uint32_t outstanding, bool answered) noexcept;
    // Ends the asking state and begins to hand out. Takes ownership of `answer`.
    void finish(std::uint32_t outstanding, UpstreamResult end, Buffer* answer) noexcept;
    // Gives a record's result to at most `budget` waiters. Waiters of a worker with a full ring
    // stay.
    void hand_out(std::uint32_t outstanding, unsigned& budget) noexcept;
    bool give(Parked* parked, UpstreamResult end, Buffer* answer, Buffer* trail) noexcept;
    void hand_out_later(std::uint32_t outstanding) noexcept;
    void hand_out_what_is_left() noexcept;
    void turn_away(Parked* parked, UpstreamResult why, Stat counter) noexcept;

    const ForwarderOptions options;
    BufferPools& buffers;
    ForwardSink& sink;
    Counters& counters;
    const NextHopTable* hops = nullptr;
    std::uint64_t now_ms = 0;  // time of the last call

    forward::ChaChaRandom random;
    forward::SourcePorts ports;
    forward::OutstandingQueries table;
    DomainCounts by_domain;  // outstanding queries in state `requesting`
    std::array<std::uint32_t, kMaxUpstreams> by_first_upstream{};  // in_flight_of()
    matchers::LabelHash name_keys;                                 // of names in flight
    forward::FailingNames failing;
    forward::UpstreamChoice choice;
    forward::UpstreamCookies cookies;
    forward::TimerWheel timers;
    forward::LoopBoard& loops;
    forward::LoopTests tests;

    // Records with waiters that still lack the result, chained by OutstandingQuery::next.
    std::uint32_t left_first = forward::kNone, left_last = forward::kNone;
    forward::Waiters turned_away;  // because the table was full
    forward::Waiters displaced;    // replaced by newer queries
    forward::Waiters over_quota;   // because their domain or group used its share
    forward::Waiters looped;       // returned by a proved loop
    std::uint32_t serial = 0;      // of answers
    std::array<std::uint8_t, 512> query{};
};

}  // namespace steer
