// A parked query: all that is kept of a query that waits, for an upstream or for a router. A small
// fixed record, not a packet. Belongs to the worker that took the query; while it waits for an
// upstream, the owner worker of its hash may read the question and owns `next_waiter` (the ask and
// reply messages order those accesses), and the record is not freed before the owner's reply.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/base/list_state.h"
#include "dataplane/dns/query.h"
#include "dataplane/policy/branches.h"
#include "dataplane/policy/program.h"
#include "dataplane/policy/rewrites.h"
#include "dataplane/port/port.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

struct Buffer;
struct Snapshot;

// How the answer gets back.
struct ReturnPath {
    enum class Kind : std::uint8_t {
        port,
        stream,
        parent,  // of a branch: to the record that waits for it, whose token is `stream_token`
    };
    Kind kind = Kind::port;
    std::uint8_t port = 0;               // index in the ports of `worker`
    std::uint8_t stream = 0;             // index of the streams thread
    std::uint8_t tag_bytes = 0;          // of `tags`: 0, 4 or 8
    std::array<std::uint8_t, 8> tags{};  // VLAN tags as they came (TPID, TCI), outer first
    std::uint16_t client_port = 0;       // host order
    std::uint16_t local_port = 0;
    std::uint16_t max_size = 0;  // what the client takes, bytes of DNS
    MacAddress client_mac{}, local_mac{};
    std::uint8_t worker = 0;  // whose port: another's where the query was moved
    IpAddress client, local;
    std::uint64_t stream_token = 0;
    std::uint16_t wait = 0;   // parent: for which of its waits (Parked::wait) ...
    std::uint8_t branch = 0;  // ... and which branch of it
};

// Where a program stands. Copied into the parked record and back.
inline constexpr std::size_t kMaxClaims =
    8;  // lists that one answer can be claimed for; the builder refuses more
struct ProgramState {
    std::uint16_t pc = 0;
    std::uint8_t depth = 0;                              // wrappers entered
    std::uint8_t list_count = 0;                         // lists claimed so far
    std::array<std::uint16_t, kMaxWrappers> wrappers{};  // their pcs
    std::array<std::uint8_t, kMaxClaims> lists{};        // indices of Snapshot::lists
    std::array<std::uint8_t, kMaxWrappers> list_base{};  // list_count when that wrapper was entered
    std::uint32_t tag_set = 0;  // id in the snapshot's TagSets; 0: not known
    std::uint64_t marks = 0;
    // A stale answer may take the place of one that does not come within this time; 0: no.
    std::uint16_t stale_wait_ms = 0;
    bool ecs : 1 = false;       // a cache was entered that asks for the client's subnet
    bool refresh : 1 = false;   // for a cache alone, told to nobody: ends with the cache's wrapper
    bool unit : 1 = false;      // a branch: ends without an answer if it has none
    bool rest : 1 = false;      // a branch: ends with its first wrapper
    bool stopped : 1 = false;   // it ended by accept or the like
    bool dropped : 1 = false;   // it ended by drop: nobody is answered
    bool over_tcp : 1 = false;  // the client asks by a way on which an answer may be long
    // A list wants no addresses of that family for this client, and a cache around it keeps the answer for others: they are
    // taken out behind it.
    bool lacks_v4 : 1 = false, lacks_v6 : 1 = false;
    Rewrites rewrites;  // of the question
    // How many of them the response's question had: its name is the client's under that many.
    std::uint8_t answered_under = 0;

    [[nodiscard]] bool lacks_family() const { return lacks_v4 || lacks_v6; }
};

// What a response is besides its answer (policy/executor.h), while the query is parked in mid-program.
struct KeptResponse {
    std::uint32_t stale_ttl_s = UINT32_MAX;
    std::uint16_t kept_in = UINT16_MAX;
    std::uint8_t passes_options = 0;  // those behind its answer, by Snapshot::option_codes
};

struct alignas(64) Parked {
    enum class State : std::uint8_t {
        free,
        waits_upstream,  // the owner worker's reply is to come
        ended,           // the client was told already; freed by the owner worker's reply
        held,            // `answer` waits for acknowledgements
        waits_ring,      // `answer` waits for room in the ring to routers
        sleeps,          // until its timer; `answer`: what it has by then, if it has anything
        waits_branches,  // as `branches` says; `answer` as with sleeps
        branch_done,     // a branch whose answer its parent keeps, as `next_waiter`
    };

    // Written by the worker when it parks the query, read by the owner worker.
    State state;
    std::uint8_t worker;
    std::uint8_t qname_len;
    std::uint8_t holds_left;                 // held: events that are not settled yet
    std::uint16_t id, qtype, qclass, flags;  // of the client's query; flags: header word
    dns::Edns edns;
    std::uint16_t group;       // the asked upstream group of `snapshot`: written by Forwarder::ask
    std::uint32_t index;       // own place in the pool
    std::uint32_t sequence;    // counts up at each use: a stale token does not match
    std::uint32_t started_s;   // when the query came, CLOCK_BOOTTIME ...
    std::uint16_t started_ms;  // ... and the milliseconds of that second
    std::uint8_t on_timeout;   // held: OnTimeout, the strictest of the lists that are waited for
    bool unsettled;            // held: a router did not write a row
    std::uint32_t ttl_end_s;   // held: when the answer's TTLs end at the latest
    const Snapshot* snapshot;  // its generation stays alive until the record is freed
    Parked* next_waiter;       // owner's, while it waits for an upstream
    Buffer* answer;     // held, waits_ring; nullptr allowed: sleeps, waits_branches, branch_done
    Buffer* injected;   // that brought it, if the program asks for its texts; nullptr: none
    std::uint16_t ede;  // of `answer`; kNoEde: none
    std::uint8_t ecs_asked;  // edns.ecs_len if the upstream is told: written before Forwarder::ask
    bool background;         // counts for nobody: ParkedPool::take_background()
    Branches branches;       // waits_branches
    std::uint16_t wait;  // for branches, so far: one that nobody waits for any more says another
    bool is_branch;      // counts as such: ParkedPool::take_branch()
    std::uint8_t options_len;   // of those that forward_edns0opt may pass on
    KeptResponse kept;          // of `answer`, while the program is not over
    std::uint64_t next_at_ms;   // sleeps: when it goes on; waits_branches: when the first is late
    std::uint64_t stale_at_ms;  // when a stale answer is given instead; 0: not
    ProgramState program;
    ReturnPath path;
    // Wire form as the client wrote it, then its subnet (edns.ecs_len bytes), then its options (options_len bytes).
    std::array<std::uint8_t, 256> qname;
};
inline constexpr std::uint16_t kNoEde = UINT16_MAX;
// 256 of them are the name; max_parked of them are allocated at start.
static_assert(sizeof(Parked) == 512 && alignof(Parked) == 64, "no line of two records");

}  // namespace steer
