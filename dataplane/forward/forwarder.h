// Asks upstreams for parked queries. One Forwarder per worker. It owns the outstanding queries whose hash
// belongs to this worker, their source ports and their timers, and serves parked queries of all
// workers.
//
//   parked query → ask() where it was parked → (ask message) → the owner's table of outstanding queries
//   upstream's reply → the owner of its destination port → checked → an Answer in a Buffer
//                    → (reply message) → every waiter
//
// A reply is checked: source address and port, destination port, id, question, and that it parses.
// A reply that fails only counts. One upstream query serves all waiters with the
// same (upstreams, name, type, class, DO, CD, ECS, forwarded options), in any generation of the configuration.
// On failure: retry without EDNS (FORMERR, BADVERS, NOTIMP without an OPT; RFC 6891 6.2.2), then the next upstream
// (SERVFAIL, REFUSED, a referral, silence; each is asked at most three times, RFC 9520 3.1), then the last SERVFAIL or
// REFUSED is passed on; FORMERR as SERVFAIL, because the question was well-formed. No buffer is returned when the total
// time is over or no upstream is left. The group sets the order of upstreams (upstream_choice.h). UDP clients get a
// truncated reply as it is; for TCP clients it is asked over TCP (RFC 7766 5). One that is truncated there too is a failure
// of that upstream, and is never handed out to a TCP client.
//
// A question that gets many replies with the wrong id, port or name is asked over TCP from then on, because it may be
// under attack (RFC 5452). If several upstreams are asked at once, ResponseSelection chooses the reply.
//
// Memory: about 700 bytes for each of `max_in_flight`, taken at construction: 11 MiB with the
// default. When the table is full, the oldest question that is not in the first half and has waited for 200 ms
// ends with UpstreamResult::displaced (as unbound's jostle list: a flood of unanswered questions leaves space for
// others). If there is none, the new query ends with UpstreamResult::table_full. It ends with
// UpstreamResult::over_quota if its domain has used its share (a slow server's random names leave space for others), or
// if its group has too many in flight (UpstreamGroup::limit). When another worker's ring is
// full, its waiters stay in their record and each tick() tries again: none is lost,
// and the table bounds their number.
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
#include "dataplane/forward/upstream_health.h"
#include "dataplane/policy/parked.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/port/next_hop.h"

namespace steer {

inline constexpr unsigned kMaxGroupMembers = 32;  // of one upstream group

// The result of an ask.
// In MessageKind::upstream_reply: the upstream's certificate is not trusted, or its SOCKS5 proxy refuses. A retry for the
// same query would not help. (Every other errno is a refusal by the network, which may be temporary.)
inline constexpr std::uint32_t kUpstreamNotTrusted = EKEYREJECTED;
inline constexpr std::uint32_t kUpstreamProxyRefuses = EREMOTEIO;
// The upstream got the query and gave no DNS reply: an HTTP error, no DNS, or it ended two connections. It is not asked
// again for this query, and nothing follows for others.
inline constexpr std::uint32_t kUpstreamFailsQuery = EBADMSG;
// The same, and other upstreams are preferred for this number of seconds, in the low bits (HTTP's Retry-After).
inline constexpr std::uint32_t kUpstreamAsksToWait = 1U << 30;

enum class UpstreamResult : std::uint8_t {
    answered,    // with a buffer: an upstream's answer; SERVFAIL, REFUSED if there is no better one
    timed_out,   // total_timeout_ms is over
    all_failed,  // every upstream was refused by the network (a kernel socket's error)
    no_route,    // the total time is over, and no upstream could be reached at all
    table_full,  // max_in_flight other questions are in flight
    displaced,   // the table was full, and this query had waited long enough to be replaced
    over_quota,  // the domain (max_per_suffix) or the group has too many in flight
    no_buffer,   // a reply came, but there was no buffer for it
    truncated,   // only truncated replies came, and the client needs all records
};

// The forwarder's outputs; the worker implements them (in tests a recorder).
class ForwardSink {
  public:
    virtual ~ForwardSink() = default;
    // Sends `dns` to hop (Via::port): builds the frame in an mbuf of the port's pool. False: no
    // room.
    virtual bool send_frame(const NextHop& hop, std::uint16_t source_port, const Upstream& to,
                            std::span<const std::uint8_t> dns) noexcept = 0;
    // Sends by a kernel socket of `streams` (Via::kernel, or TCP). `query` holds an UpstreamQuery
    // and the bytes, as MessageKind::upstream_query wants it. Takes over the buffer if true.
    virtual bool send_by_kernel(std::uint64_t token, const Upstream& to, UpstreamVia via,
                                Buffer* query) noexcept = 0;
    // Hands a message to another worker. False: its ring is full.
    virtual bool send_to_worker(unsigned worker, const Message& m) noexcept = 0;
    // A parked query of this worker has its answer (or, without a buffer, the reason of the failure).
    // Takes over the reference. May call ask() again.
    virtual void answered(Parked* parked, UpstreamResult end, Buffer* answer) noexcept = 0;
    // Before that, if a waiter of the same upstream query is traced: what upstreams did (policy/trace.h).
    virtual void trail_came(const Parked& /*parked*/, const Buffer& /*trail*/) noexcept {}
};

struct ForwarderOptions {
    unsigned worker = 0, workers = 1;
    std::uint16_t first_port = 10240;  // of all workers; this one owns p with p % workers == worker
    std::uint16_t last_port = 26623;
    unsigned max_in_flight = 16384;
    unsigned max_per_suffix = 0;  // of those, for one registrable domain; 0: all
    bool random_case =
        false;  // send names in random case and check it in replies (draft-vixie-dnsext-dns0x20)
    std::uint64_t random_seed = 0;  // 0: from the system; tests give one
};

class Forwarder {
  public:
    Forwarder(const ForwarderOptions& options, BufferPools& buffers, ForwardSink& sink,
              Counters& counters);
    ~Forwarder();
    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;

    // Called by the worker that parked the query: sends it to the owner of `hash` (of the name:
    // KeyHasher::of_name), which may be this worker. False: the message ring is full, nothing
    // happened. The answer comes by ForwardSink::answered, never from within ask().
    bool ask(Parked* parked, std::uint16_t group, std::uint64_t hash, Now now) noexcept;

    // A frame's payload that came to one of our source ports. The verdict is the mbuf's.
    Verdict on_datagram(const IpAddress& from, std::uint16_t from_port, std::uint16_t to_port,
                        std::span<const std::uint8_t> dns, Now now) noexcept;
    // Ends the oldest question that has waited for 200 ms or more, to free its record. Its waiters are notified
    // at the next tick(). False: there is none.
    bool make_room(Now now) noexcept;
    // The worker that owns the port.
    [[nodiscard]] unsigned owner_of_port(std::uint16_t port) const noexcept;

    // Messages: ask and reply (workers), upstream_reply (streams).
    void on_message(const Message& m, Now now) noexcept;
    // Timers, and deferred answers. Once per loop; bounded work.
    void tick(Now now) noexcept;
    // The earliest time (ms) at which tick() has work; UINT64_MAX: nothing is in flight.
    [[nodiscard]] std::uint64_t next_deadline_ms() const noexcept;

    // The table in force; read at each send.
    void set_next_hops(const NextHopTable* table) noexcept;
    [[nodiscard]] unsigned in_flight() const noexcept;
    // What probes of our own say (control/observe/health): `policy: order` uses the first upstream that is not silent, and one
    // `without_edns` is asked without EDNS. Any thread may call it.
    void probed(std::uint16_t upstream, bool is_silent, bool without_edns) noexcept;
    // This worker's measurements of an upstream; any thread may read them. `upstream` < kMaxUpstreams.
    [[nodiscard]] const UpstreamHealth& health(std::uint16_t upstream) const noexcept;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace steer
