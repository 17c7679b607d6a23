// Asks upstreams on behalf of parked queries. One Forwarder per worker; it owns the table of outstanding
// queries whose hash is this worker's, their source ports and their timers, and serves parked
// queries of all workers with them.
//
//   parked query → ask() where it was parked → (ask message) → the owner's table of outstanding queries
//   upstream's reply → the owner of its destination port → checked → an Answer in a Buffer
//                    → (reply message) → every waiter
//
// Checked on a reply: source address and port, destination port, id, question, and that it parses;
// a reply that fails changes nothing but a counter. One upstream query serves all that ask for the
// same (upstreams, name, type, class, DO, CD, ECS, forwarded options), whatever generation their configuration is of. Order
// of defence: retry without EDNS (FORMERR, NOTIMP; RFC 6891 6.2.2), next upstream (SERVFAIL,
// REFUSED, silence; each is asked three times at most, RFC 9520 3.1), the last SERVFAIL or REFUSED passed on, and
// when the total time is over, or nobody is left to wait for, no buffer. Policy among upstreams: the group's (upstream_choice.h). A truncated reply
// goes to UDP clients as it is; for clients over TCP the question is asked again over TCP (RFC 7766
// 5).
//
// A question that gets many replies with the wrong id, port or name is asked over TCP from then on: somebody
// guesses (RFC 5452). While several upstreams are asked at the same time, ResponseSelection says which reply is taken.
//
// Memory: about 700 bytes for each of `max_in_flight`, taken at construction: 11 MiB with the
// default. When the table is full, the oldest question that is not among the first half and has waited for 200 ms
// ends as UpstreamResult::displaced (as unbound's jostle list: a flood of questions that nobody answers leaves room for
// those that are answered); if there is none, the new query ends as UpstreamResult::table_full, when its domain has its share of it as
// UpstreamResult::over_quota (one domain's random names, sent to a server that is slow, leave room for others), and so it does
// when its group has as many in flight as it may (UpstreamGroup::limit); when another worker's ring is
// full its waiters stay in their outstanding query's record and are tried again at each tick(): none is lost,
// and the table bounds how many there are.
//
// May not, after construction: allocate, lock, log, wait.
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

// What became of an ask.
// Of MessageKind::upstream_reply: the upstream's certificate is not trusted. To ask it again for the same
// query changes nothing. (Every other errno is a refusal by the network, which may be over soon.)
inline constexpr std::uint32_t kUpstreamNotTrusted = EKEYREJECTED;

enum class UpstreamResult : std::uint8_t {
    answered,    // with a buffer: what an upstream said; SERVFAIL, REFUSED if none said better
    timed_out,   // total_timeout_ms is over
    all_failed,  // every upstream was refused by the network (a kernel socket's error)
    no_route,    // the total time is over, and no upstream could be reached at all
    table_full,  // max_in_flight other questions are in flight
    displaced,   // the table was full, and it had waited long enough to make room for another
    over_quota,  // max_per_suffix of the same domain are, or as many of the group as may be
    no_buffer,   // a reply came, but there was no buffer for it
};

// How the forwarder reaches the world; the worker implements it (tests: a recorder).
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
    // A parked query of this worker has its answer (or, without a buffer, the reason why not).
    // Takes over the reference. May call ask() again.
    virtual void answered(Parked* parked, UpstreamResult end, Buffer* answer) noexcept = 0;
};

struct ForwarderOptions {
    unsigned worker = 0, workers = 1;
    std::uint16_t first_port = 10240;  // of all workers; this one owns p with p % workers == worker
    std::uint16_t last_port = 26623;
    unsigned max_in_flight = 16384;
    unsigned max_per_suffix = 0;  // of those, for names with the same last two labels; 0: all
    bool random_case = false;  // names in random case, wanted back so (draft-vixie-dnsext-dns0x20)
    std::uint64_t random_seed = 0;  // 0: from the system; tests give one
};

class Forwarder {
  public:
    Forwarder(const ForwarderOptions& options, BufferPools& buffers, ForwardSink& sink,
              Counters& counters);
    ~Forwarder();
    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;

    // From the worker that parked the query: goes to the owner of `hash` (of the name:
    // KeyHasher::of_name), which may be this one. False: the message ring is full, nothing
    // happened. The answer comes by ForwardSink::answered, never from within ask().
    bool ask(Parked* parked, std::uint16_t group, std::uint64_t hash, Now now) noexcept;

    // A frame's payload that came to one of our source ports. The verdict is the mbuf's.
    Verdict on_datagram(const IpAddress& from, std::uint16_t from_port, std::uint16_t to_port,
                        std::span<const std::uint8_t> dns, Now now) noexcept;
    // Ends the oldest question that has waited for 200 ms or more, to make room for others. Its waiters are told
    // at the next tick(). False: there is none.
    bool make_room(Now now) noexcept;
    // Whose port it is, for frames that another worker must have.
    [[nodiscard]] unsigned owner_of_port(std::uint16_t port) const noexcept;

    // Messages: ask and reply (workers), upstream_reply (streams).
    void on_message(const Message& m, Now now) noexcept;
    // Timers, and answers that were put off. Once per loop; bounded work.
    void tick(Now now) noexcept;
    // The earliest time (ms) at which tick() has something to do; UINT64_MAX: nothing is in flight.
    [[nodiscard]] std::uint64_t next_deadline_ms() const noexcept;

    // The table in force; read at each send.
    void set_next_hops(const NextHopTable* table) noexcept;
    [[nodiscard]] unsigned in_flight() const noexcept;
    // What this worker knows of an upstream; any thread may read it. `upstream` < kMaxUpstreams.
    [[nodiscard]] const UpstreamHealth& health(std::uint16_t upstream) const noexcept;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace steer
