// A parked query: the state of a query that waits for an upstream or for a router. A small fixed
// record, not a packet. It belongs to the worker that received the query. While it waits for an
// upstream, the worker that owns its hash may read the question and owns `next_waiter`. The ask and
// reply messages order these accesses. The record is not freed before that worker's reply.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/base/client_facts.h"
#include "dataplane/base/list_state.h"
#include "dataplane/base/message.h"
#include "dataplane/dns/query.h"
#include "dataplane/policy/branches.h"
#include "dataplane/policy/program.h"
#include "dataplane/policy/rewrites.h"
#include "dataplane/port/port.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/suffix/public_suffixes.h"

namespace steer {

struct Buffer;
struct Snapshot;

// The return path of the answer.
struct ReturnPath {
    enum class Kind : std::uint8_t {
        port,
        stream,
        parent,  // of a branch: to the waiting record with token `stream_token`
    };
    ClientFacts client;
    Kind kind = Kind::port;
    std::uint8_t port = 0;       // index in the ports of `worker`
    std::uint8_t stream = 0;     // index of the streams thread
    std::uint8_t tag_bytes = 0;  // of `tags`: 0, 4 or 8
    std::uint64_t stream_token = 0;
    std::array<std::uint8_t, 8> tags{};  // received VLAN tags (TPID, TCI), outer first
    IpAddress local;
    MacAddress local_mac{};
    std::uint16_t local_port = 0;  // host order
    std::uint16_t max_size = 0;    // the client's limit, bytes of DNS
    std::uint16_t wait = 0;        // parent: number of the wait (Parked::wait) ...
    std::uint8_t branch = 0;       // ... and of the branch in it
    std::uint8_t traced_as = 0;    // number of the branch in the trace
    std::uint8_t worker = 0;       // owner of the port: another worker if the query was moved
};
static_assert(sizeof(ReturnPath) == 80);

// The state of a program. The parked record has a copy.
inline constexpr std::size_t kMaxClaims =
    8;  // lists that may claim one answer; the builder refuses more

// A number of at most kMaxClaims for each wrapper, in four bits each.
class ListBases {
  public:
    [[nodiscard]] unsigned operator[](unsigned wrapper) const noexcept {
        return bits_ >> (wrapper * kBits) & kMask;
    }
    void set(unsigned wrapper, unsigned number) noexcept {
        const unsigned shift = wrapper * kBits;
        bits_ = (bits_ & ~(kMask << shift)) | (number & kMask) << shift;
    }

  private:
    static constexpr unsigned kBits = 4;
    static constexpr std::uint32_t kMask = 0xf;
    static_assert(kMaxClaims <= kMask && kMaxWrappers * kBits <= 32);
    std::uint32_t bits_ = 0;
};

struct ProgramState {
    static constexpr std::uint16_t kNowhere = UINT16_MAX;
    static constexpr std::uint8_t kNoPart = UINT8_MAX;

    std::uint16_t pc = 0;
    std::uint8_t depth = 0;                              // wrappers entered
    std::uint8_t list_count = 0;                         // lists claimed so far
    std::array<std::uint16_t, kMaxWrappers> wrappers{};  // their program counters
    std::array<std::uint8_t, kMaxClaims> lists{};        // indices of Snapshot::lists
    ListBases list_base;                                 // list_count when that wrapper was entered
    std::uint32_t tag_set = 0;  // id in the snapshot's TagSets; 0: not known
    // After this time without an answer, a stale answer may be sent; 0: never.
    std::uint16_t stale_wait_ms = 0;
    bool ecs : 1 = false;         // an entered cache needs the client's subnet
    bool refresh : 1 = false;     // refresh of a cache, without a client: ends with its wrapper
    bool unit : 1 = false;        // a branch that ends without an answer if it has none
    bool rest : 1 = false;        // a branch that ends with its first wrapper
    bool probe : 1 = false;       // a branch that is the unit of a prefer's `probe_executor`
    bool stopped : 1 = false;     // ended by accept, reject or similar
    bool dropped : 1 = false;     // ended by drop: no reply is sent
    bool stays_here : 1 = false;  // no upstream but a zone's is queried (rare_queries.h)
    bool no_cache : 1 = false;    // ... and no cached answer is used
    bool over_tcp : 1 = false;    // the client's transport carries long answers
    // A list does not want that family's addresses for this client, and an outer cache keeps the
    // complete answer. So they are removed after the cache.
    bool lacks_v4 : 1 = false, lacks_v6 : 1 = false;
    bool is_allowed : 1 = false;    // `passed_by` is an exception of a list, or a rule
    bool unanswered : 1 = false;    // it ended without an answer: an empty one is sent
    bool is_of_client : 1 = false;  // the answer is not for all clients: no cache stores it
    bool by_rule : 1 = false;  // a rule of people allowed it: stored only while that is in force
    std::uint64_t marks = 0;
    Rewrites rewrites;  // of the question
    // The number of rewrites of the response's question.
    std::uint8_t answered_under = 0;
    // What decided, for records (policy/decision.h): program counters, or kNowhere.
    std::uint8_t part = kNoPart;         // of `made_by` or `passed_by`: number of the list or zone
    std::uint16_t made_by = kNowhere;    // made the response; kNowhere: an upstream, or a cache
    std::uint16_t passed_by = kNowhere;  // let the question pass, or changed it

    [[nodiscard]] bool lacks_family() const { return lacks_v4 || lacks_v6; }
    // The instruction at the program counter made the response.
    void note_maker(std::uint8_t of_part = kNoPart) noexcept {
        made_by = pc;
        part = of_part;
    }
    // The instruction at the program counter let the question pass (`allows`), or changed it.
    void note_passed(bool allows, std::uint8_t of_part = kNoPart) noexcept {
        if (is_allowed) return;
        passed_by = pc;
        is_allowed = allows;
        part = of_part;
    }
};

static_assert(sizeof(ProgramState) == 64);

// The fields of a response except its answer (policy/executor.h), while the query is parked in its
// program.
struct KeptResponse {
    std::uint32_t stale_ttl_s = UINT32_MAX;
    std::uint16_t kept_in = UINT16_MAX;
    std::uint8_t passes_options =
        0;  // bits of Snapshot::option_codes: options behind the answer that may be passed on
};

// The keyed hashes that a record counts for in the quotas of its pool (stages/parked_pool.h).
struct QuotaKeys {
    std::uint64_t client = 0;
    matchers::DomainKeys domain;  // of the client's question, before any rewrite
};

struct alignas(64) Parked {
    enum class State : std::uint8_t {
        free,
        waits_upstream,  // waits for the owner worker's reply
        ended,           // the client has its answer; freed by the owner worker's reply
        held,            // `answer` waits for acknowledgements
        waits_ring,      // `answer` waits for space in the ring to routers
        sleeps,          // waits for its timer; `answer`: the answer so far, if any
        waits_branches,  // waits for `branches`; `answer` as with sleeps
        branch_done,     // a finished branch; its parent has it in `next_waiter`
    };

    // The worker writes these fields when it parks the query; the owner worker reads them.
    State state;
    std::uint8_t worker;
    std::uint8_t qname_len;
    std::uint8_t holds_left;                 // held: number of events that are not settled yet
    std::uint16_t id, qtype, qclass, flags;  // of the client's query; flags: header word
    dns::Edns edns;
    std::uint16_t group;      // queried upstream group of `snapshot`: written by Forwarder::ask
    std::uint16_t upstream;   // Upstream::id of the last one that answered; kAsked, kNotAsked
    std::uint32_t index;      // index in the pool
    std::uint32_t sequence;   // incremented at each use: an old token does not match
    std::uint32_t started_s;  // arrival of the query, CLOCK_BOOTTIME ...
    std::uint16_t started_64000ths;  // ... and the part of that second, in 1/64000 s
    std::uint8_t on_timeout : 2;     // held: OnTimeout, the strictest of the awaited lists
    std::uint8_t on_full : 2;        // held: OnFull, likewise
    bool unsettled : 1;              // held: a router did not write a row
    bool late : 1;                   // held, waits_ring: the same, because time was too short
    bool refused : 1;                // held: a list had no space for a row
    bool obeys_on_full : 1;          // held, waits_ring: an earlier refusal decides too:
    std::uint8_t obeyed : 2;         // ... OnFull, the strictest of the refusing lists
    std::uint32_t ttl_end_s;         // held: the latest end of the answer's TTLs
    const Snapshot* snapshot;        // its generation stays alive until the record is freed
    Parked* next_waiter;             // used by the owner while the record waits for an upstream
    Buffer* answer;     // held, waits_ring; nullptr allowed: sleeps, waits_branches, branch_done
    Buffer* injected;   // the query's buffer, if the program uses its texts; else nullptr
    std::uint16_t ede;  // of `answer`; kNoEde: none
    std::uint8_t ecs_asked;     // edns.ecs_len if sent upstream: written before Forwarder::ask
    std::uint8_t refreshed;     // refresh of this cache (Snapshot::caches), from 1; 0: of a client
    Branches branches;          // waits_branches
    std::uint16_t wait;         // number of the present wait; an abandoned branch has another one
    bool is_branch;             // counted by ParkedPool::take_branch()
    std::uint8_t options_len;   // of those that forward_edns0opt may pass on
    std::uint16_t trace;        // handle of the query's trace (policy/trace.h); 0: none
    KeptResponse kept;          // fields of `answer`, while the program runs
    std::uint64_t next_at_ms;   // sleeps: time to continue; waits_branches: when the first is late
    std::uint64_t stale_at_ms;  // time to send a stale answer instead; 0: never
    ProgramState program;
    ReturnPath path;
    QuotaKeys keys;  // written by the pool alone
    // Wire form in the client's case, then its subnet (edns.ecs_len bytes), then its options
    // (options_len bytes).
    std::array<std::uint8_t, 256> qname;
    dns::Cookie cookie;  // of the reply, if edns.cookie is not none

    static constexpr std::uint16_t kNotAsked = UINT16_MAX, kAsked = UINT16_MAX - 1;
    // Arrival of the query, CLOCK_BOOTTIME in microseconds, accurate to 1/64000 s.
    [[nodiscard]] std::uint64_t started_us() const {
        return std::uint64_t{started_s} * 1'000'000 + std::uint64_t{started_64000ths} * 125 / 8;
    }
    void set_started(std::uint64_t us) {
        started_s = static_cast<std::uint32_t>(us / 1'000'000);
        started_64000ths = static_cast<std::uint16_t>(us % 1'000'000 * 8 / 125);
    }
};
inline constexpr std::uint16_t kNoEde = UINT16_MAX;
// The name has 256 of the bytes; max_parked records are allocated at start.
static_assert(sizeof(Parked) == 576 && alignof(Parked) == 64, "no line is shared by two records");

}  // namespace steer
