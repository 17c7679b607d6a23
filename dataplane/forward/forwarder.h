// Sends the queries of parked records to upstreams. One Forwarder per worker. It owns the
// outstanding queries whose hash belongs to this worker, their source ports and their timers. It
// serves parked queries of all workers.
//
//   parked query → ask() where it was parked → (ask message) → the owner's table of outstanding queries
//   upstream's reply → the owner of its destination port → checked → an Answer in a Buffer
//                    → (reply message) → every waiter
//
// A reply is checked: source address and port, destination port, id, question, and that it parses.
// A reply that fails a check is only counted. One upstream query serves all waiters with the same
// (upstreams, name, type, class, DO, CD, ECS, forwarded options), in any generation of the
// configuration.
//
// With RandomCase, each query over UDP has its name in a random case. A reply that differs in
// nothing else is dropped, and its question is repeated over TCP at once: either the upstream
// changes the case, or an attacker guessed port and id.
//
// Birthday attacks: at most kMaxVariants questions for one name and type are in flight over UDP, in
// all workers together, because one worker owns a name. Further ones use TCP.
//
// After a failure, the forwarder tries in this order:
// - a retry without EDNS (FORMERR, BADVERS, NOTIMP without an OPT; RFC 6891 6.2.2);
// - the next upstream (after SERVFAIL, REFUSED, a referral, or silence); each gets at most three
//   queries (RFC 9520 3.1);
// - the last SERVFAIL or REFUSED as the answer; a FORMERR becomes SERVFAIL, because the question
//   was well-formed.
//  Waiters get no buffer if the total time is over or no upstream is left. The group sets the order
// of upstreams (upstream_choice.h). UDP clients get a truncated reply unchanged. For TCP clients,
// the query is repeated over TCP (RFC 7766 5). A reply over TCP that is truncated too counts as a
// failure of that upstream, and a TCP client never gets it.
//
// If a query gets many replies with the wrong id, port or name, it is repeated over TCP, because it
// may be under attack (RFC 5452). If several upstreams get the query at once, ResponseSelection
// chooses the reply.
//
// A forwarding loop: a question in flight that comes from the address of an upstream that has it
// waits like any other, and that upstream is tested (loop_tests.h). After the proof of a loop, the
// next upstream gets the question. Without another one, the returned questions end with
// UpstreamResult::looped, so the upstream gets SERVFAIL and its loop ends. The first one continues.
//
// Memory: about 700 bytes per record of `max_in_flight`, taken at construction: 11 MiB with the
// default.
//
// Overload: if the table is full, the forwarder ends an old query with UpstreamResult::displaced.
// It is the oldest one that is not in the first half and has waited for 200 ms (as unbound's jostle
// list). So a flood of unanswered queries leaves space for others. If there is none, the new query
// ends with UpstreamResult::table_full. The last records are for groups with few queries in flight:
// a group with most of the table needs an old query's record for each new one. So a flood to a dead
// upstream leaves space for other upstreams, at any rate. A query ends with
// UpstreamResult::over_quota if its domain has used its share, so that random names below a slow
// server leave space for others. It also ends so if its group has too many in flight
// (UpstreamGroup::limit). If another worker's ring is full, the waiters of that worker stay in
// their record, and each tick() tries again. None is lost; the table bounds their number.
//
// After construction it may not allocate, lock, log or wait.
#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/base/buffer.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/message.h"
#include "dataplane/base/random_case.h"
#include "dataplane/forward/loop_board.h"
#include "dataplane/forward/upstream_health.h"
#include "dataplane/policy/parked.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/port/next_hop.h"

namespace steer {

inline constexpr unsigned kMaxGroupMembers = 32;  // of one upstream group
// Questions for one name and type in flight over UDP. They differ in class, DO, CD, client subnet,
// options or upstreams; a client can choose most of them.
inline constexpr unsigned kMaxVariants = 8;

// The result of ask().
// In MessageKind::upstream_reply: the upstream's certificate is not trusted, or its SOCKS5 proxy
// refuses. A retry of the same query would not help. (Any other errno is a refusal by the network,
// which may be temporary.)
inline constexpr std::uint32_t kUpstreamNotTrusted = EKEYREJECTED;
inline constexpr std::uint32_t kUpstreamProxyRefuses = EREMOTEIO;
// The upstream got the query and sent no DNS reply: an HTTP error, or a message that is not DNS. It
// does not get this query again. Other queries are not affected.
inline constexpr std::uint32_t kUpstreamFailsQuery = EBADMSG;
// The same. The upstream is reached, and only refused the query or ended its connections.
inline constexpr std::uint32_t kUpstreamDropsQuery = ECONNABORTED;
// The same. In addition, other upstreams are preferred for the number of seconds in the low bits
// (HTTP's Retry-After).
inline constexpr std::uint32_t kUpstreamAsksToWait = 1U << 30;

enum class UpstreamResult : std::uint8_t {
    answered,    // with a buffer: an answer; SERVFAIL or REFUSED if there is no better one
    timed_out,   // total_timeout_ms is over
    all_failed,  // the network refused the query for every upstream (a kernel socket's error)
    dropped,     // each upstream is reached, and only refused the query or ended its connections
    no_route,    // the total time is over, and no upstream was reachable
    table_full,  // max_in_flight other queries are in flight
    displaced,   // the table was full, and this query was old enough to be replaced
    over_quota,  // the domain (max_per_suffix) or the group has too many in flight
    no_buffer,   // a reply arrived, but there was no buffer for it
    truncated,   // only truncated replies arrived, and the client needs all records
    looped,      // a proved loop brought the question back, and no other upstream is left
};

// The forwarder's outputs. The worker implements them; in tests, a recorder.
class ForwardSink {
  public:
    virtual ~ForwardSink() = default;
    // Sends `dns` to hop (Via::port): builds the frame in an mbuf of the port's pool. Returns false
    // if there is no space.
    virtual bool send_frame(const NextHop& hop, std::uint16_t source_port, const Upstream& to,
                            std::span<const std::uint8_t> dns) noexcept = 0;
    // Sends by a kernel socket of `streams` (Via::kernel, or TCP). `query` holds an UpstreamQuery
    // and the bytes, in the format of MessageKind::upstream_query. Takes ownership of the buffer if
    // it returns true.
    virtual bool send_by_kernel(std::uint64_t token, const Upstream& to, UpstreamVia via,
                                Buffer* query) noexcept = 0;
    // Passes a message to another worker. Returns false if its ring is full.
    virtual bool send_to_worker(unsigned worker, const Message& m) noexcept = 0;
    // A parked query of this worker has its answer (or, without a buffer, the reason of the
    // failure). Takes ownership of the reference. May call ask() again.
    virtual void answered(Parked* parked, UpstreamResult end, Buffer* answer) noexcept = 0;
    // Called before answered(), if a waiter of the same upstream query is traced: what the
    // upstreams did (policy/trace.h).
    virtual void on_trail(const Parked& /*parked*/, const Buffer& /*trail*/) noexcept {}
};

struct ForwarderOptions {
    unsigned worker = 0, workers = 1;
    std::uint16_t first_port = 10240;  // of all workers; this one owns p with p % workers == worker
    std::uint16_t last_port = 26623;
    unsigned max_in_flight = 16384;
    unsigned max_per_suffix = 0;  // maximum in flight for one registrable domain; 0: no limit
    RandomCase random_case = RandomCase::never;
    std::uint64_t random_seed = 0;  // 0: the system gives it; tests set one
};

class Forwarder {
  public:
    Forwarder(const ForwarderOptions& options, BufferPools& buffers, ForwardSink& sink,
              forward::LoopBoard& loops, Counters& counters);
    ~Forwarder();
    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;

    // Called by the worker that parked the query. Sends it to the owner of `hash` (the name's hash,
    // KeyHasher::spread_of), which may be this worker. Returns false if the message ring is full;
    // then nothing happened. ForwardSink::answered delivers the answer, never from within ask().
    bool ask(Parked* parked, std::uint16_t group, std::uint64_t hash, Now now) noexcept;

    // Handles the payload of a frame to one of our source ports. Returns the verdict of the mbuf.
    Verdict on_datagram(const IpAddress& from, std::uint16_t from_port, std::uint16_t to_port,
                        std::span<const std::uint8_t> dns, Now now) noexcept;
    // Ends the oldest query that has waited for 200 ms or more, to free its record. Its waiters get
    // the result at the next tick(). Returns false if there is none.
    bool make_room(Now now) noexcept;
    // The worker that owns the port.
    [[nodiscard]] unsigned owner_of_port(std::uint16_t port) const noexcept;

    // Handles a message: ask and reply (workers), upstream_reply (streams).
    void on_message(const Message& m, Now now) noexcept;
    // Runs timers, and delivers deferred answers. Once per loop; bounded work.
    void tick(Now now) noexcept;
    // The earliest time (ms) at which tick() has work; UINT64_MAX if nothing is in flight.
    [[nodiscard]] std::uint64_t next_deadline_ms() const noexcept;

    // Sets the current table; each send reads it.
    void set_next_hops(const NextHopTable* table) noexcept;
    [[nodiscard]] unsigned in_flight() const noexcept;
    // Reports the result of our own probes (control/observe/health). `policy: order` uses the first
    // upstream that is not silent. Any thread may call it.
    void probed(std::uint16_t upstream, const ProbeFindings& findings) noexcept;
    // This worker's measurements of an upstream. Any thread may read them. `upstream` <
    // kMaxUpstreams.
    [[nodiscard]] const UpstreamHealth& health(std::uint16_t upstream) const noexcept;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace steer
