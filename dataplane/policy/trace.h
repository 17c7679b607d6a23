// The trace of a query: a worker's events for it, in a buffer that goes to control when the query
// has ended (control/observe/trace). Few queries have one: those of `steerctl explain`, and those
// that `steerctl trace` selects.
//
// A query without a trace pays one branch per run of its program. A trace does not change the
// query: events are found by comparing the query before and after each instruction (trace_steps.h).
//
// The buffer has a TraceHead, then events. An event has 16 bytes, then `cells` times 16 bytes. A
// trace begins in a small buffer and moves to a large one when that is full. TraceHead::lost counts
// further events.
//
// Belongs to one worker. No heap.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "dataplane/base/buffer.h"
#include "dataplane/base/clock.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

// X(name): the comment names the fields other than `what`. pc: program counter of the instruction,
// unless noted otherwise.
#define STEER_TRACE_EVENTS(X)                                                                        \
    X(packet_cache)  /* flags: TracePacketCache; if it answered b: age, c: TTL left, s */            \
    X(plan)          /* pc: where the plan ends; b: tag set; flags: TraceFlags::hit */               \
    X(step)          /* an instruction ran. flags: TraceFlags, c: the next pc */                     \
    X(left)          /* a wrapper was left. c: the next pc */                                        \
    X(cache)         /* flags: TraceCache; b: age, c: TTL left, s; of a stale one seconds */         \
    X(question)      /* the present name. cells: its wire form; b: its length, c: rewrites */        \
    X(marks)         /* b, c: the marks, low and high half */                                        \
    X(claimed)       /* b: index of Snapshot::lists */                                               \
    X(unclaimed)     /* the lists so far are removed */                                              \
    X(response)      /* flags: rcode, b: TraceSource, c: number of addresses */                      \
    X(no_response)   /* the response was removed */                                                  \
    X(dns64)         /* AAAA were synthesized */                                                     \
    X(denied_target) /* pc: of its ad list. cells: the name that it denies; b: its length */         \
    X(waits)         /* flags: TraceWait (reason); b: upstream group, milliseconds */                \
    X(joined)        /* an identical query was in flight. b: its age, ms */                          \
    X(asked)         /* pc: upstream id; flags: TraceVia */                                          \
    X(replied)       /* pc: upstream id; flags: rcode; b: ms since it was asked */                   \
    X(upstream_ede)  /* pc: upstream id; b: info code of RFC 8914. cells: its text of c bytes */     \
    X(silent)        /* pc: upstream id; b: ms since it was asked */                                 \
    X(refused)       /* pc: upstream id; b: errno; c: ms since it was asked */                       \
    X(upstream_end)  /* flags: UpstreamResult; b: ms since the query waits for it */                 \
    X(late)          /* the upstream took too long: a stale answer is sent */                        \
    X(refresh)       /* a background refresh began; pc: its cache */                                 \
    X(branch)        /* begins. b: its number, c: type, flags: which of its instruction */           \
    X(branch_end)    /* flags: Branches::Is; b: number */                                            \
    X(branch_taken)  /* flags: which; 255: none */                                                   \
    X(row)           /* pc: index of Snapshot::lists; flags: TraceRow; b: ListId; c: TTL */          \
    X(leave)         /* flags: Leave; b: TTL cap; c: sync_timeout, ms */                             \
    X(acknowledged)  /* flags: Outcome; b: number of outstanding ones */                             \
    X(held_too_long) /* sync_timeout is over */                                                      \
    X(decided)       /* flags: PolicyDecision; pc: what decided, or kTraceNone; b: part */           \
    X(answer)        /* flags: rcode; pc: EDE; b: TTL, c: age; cells: addresses */                   \
    X(passed_ede) /* an upstream's EDE that forward_edns0opt passed to the client. b, c: as above */ \
    X(end)        /* flags: TraceEnd; pc: its number */

enum class TraceWhat : std::uint8_t {
#define STEER_TRACE_ENUM(name) name,
    STEER_TRACE_EVENTS(STEER_TRACE_ENUM)
#undef STEER_TRACE_ENUM
        count_
};
#define STEER_TRACE_LABEL(name) std::string_view{#name},
inline constexpr std::array kTraceLabels{STEER_TRACE_EVENTS(STEER_TRACE_LABEL)};
#undef STEER_TRACE_LABEL

namespace trace_flags {
enum : std::uint8_t {
    kTest = 1U << 0,  // of step: a test ...
    kHeld = 1U << 1,  // ... that was true, after `negate`
    kPlan = 1U << 2,  // the plan knew the outcome: the step was run again for the trace
    kHit = 1U << 3,   // on a hit in a cache: only tests and lists run
    kEntered = 1U << 4,
};
}  // namespace trace_flags

enum class TraceCache : std::uint8_t {
    miss,
    hit,
    stale,        // expired, but served
    guarded,      // a hit whose client-dependent rules ran again
    failure,      // a cached failure
    older_rules,  // an answer of an earlier configuration: the rules run again for it
    policed,      // a policy zone checks it
    expired,      // a miss; its stale answer is sent if the upstream is late
};
// Whether the packet cache answered. The values after `answered` are for an injected hit. Such
// queries bypass the packet cache, so these values say what it would have done with this query.
enum class TracePacketCache : std::uint8_t {
    answered,
    would_answer,  // it has a line for this query
    would_learn,   // it has no line yet
    resting,       // the packet cache is off, because few queries repeat
    too_long,      // the answer is too long for a line
    for_subnet,    // the answer depends on the client's subnet
    not_udp,
};
enum class TraceSource : std::uint8_t { records, cache, stale, upstream, empty };
enum class TraceWait : std::uint8_t { upstream, time, branches, router, ring };
enum class TraceVia : std::uint8_t { port, kernel, tcp, channel };
enum class TraceRow : std::uint8_t { covered, written, awaited, refused };
// The table with an end: Verdict or PendingOutcome. `lost`: the end was lost together with its
// record.
enum class TraceEnd : std::uint8_t { verdict, pending_outcome, lost };

struct TraceEvent {
    TraceWhat what;
    std::uint8_t flags;
    std::uint16_t pc;
    std::uint16_t at_ms;  // since the query's arrival; saturates
    std::uint8_t cells;   // behind the event
    std::uint8_t branch;  // 0: the query; else the number of `branch`
    std::uint32_t b, c;
};
static_assert(sizeof(TraceEvent) == 16);

inline constexpr std::uint16_t kTraceNone = UINT16_MAX;

// An id has the worker's number + 1 in its upper 8 bits (0: from `steerctl explain`). The rest is a
// counter that begins at the time of the process's start. A worker begins fewer than 16,384 traces
// per millisecond. So two successive processes never use the same id.
inline constexpr unsigned kTraceWorkerShift = 56;
constexpr std::uint64_t first_trace_id(std::uint64_t start_ms) {
    constexpr unsigned kTracesAMs = 14;  // bits
    return start_ms << kTracesAMs & ((std::uint64_t{1} << kTraceWorkerShift) - 1);
}

struct TraceHead {
    std::uint64_t id;
    std::uint64_t began_ms;    // CLOCK_BOOTTIME
    std::uint32_t generation;  // of the snapshot
    std::uint32_t used;        // bytes of events
    std::uint32_t lost;        // events that did not fit
    std::uint32_t
        passed_by;  // queries since the last trace that did not fit into the ring or the table
    IpAddress client, local;
    std::uint16_t client_port, local_port;
    std::uint16_t qtype, qclass;
    std::uint8_t worker;
    std::uint8_t entry;                   // of the program
    std::uint8_t transport, is_injected;  // a ClientTransport
    std::uint8_t name_len;
    std::uint8_t filters;  // bit N: TraceFilter::number N selected it; 0: requested by its id
    std::uint8_t reserved[2];
    std::array<std::uint8_t, 256> name;  // wire form in the client's case
};
static_assert(sizeof(TraceHead) % 16 == 0 && std::is_trivially_copyable_v<TraceHead>);

class Trace {
  public:
    // `handle`: not 0. Returns false if no buffer is free.
    bool begin(BufferPools& pools, std::uint16_t handle, const TraceHead& head) noexcept;
    void note(Now now, std::uint8_t branch, TraceEvent event,
              std::span<const std::uint8_t> payload = {}) noexcept;

    [[nodiscard]] std::uint16_t handle() const { return handle_; }
    [[nodiscard]] bool is_open() const { return buffer_ != nullptr; }
    [[nodiscard]] TraceHead& head() { return *reinterpret_cast<TraceHead*>(buffer_->data()); }
    [[nodiscard]] std::uint8_t next_branch() {
        return branches_ == UINT8_MAX ? branches_ : ++branches_;
    }
    [[nodiscard]] Buffer* take() noexcept;  // ends the trace; one reference for the caller

    TracePacketCache packet_cache = TracePacketCache::not_udp;  // of an injected query
    bool has_record = false;                                    // a parked record ends it
    bool has_run = false;                                       // the program ran

  private:
    std::uint8_t* room(std::size_t bytes) noexcept;

    Buffer* buffer_ = nullptr;
    BufferPools* pools_ = nullptr;
    std::uint16_t handle_ = 0;
    std::uint8_t branches_ = 0;
};

// A query's trace, or none.
class TraceRef {
  public:
    TraceRef() = default;
    TraceRef(Trace* trace, std::uint8_t branch) : trace_(trace), branch_(branch) {}
    explicit operator bool() const { return trace_ != nullptr; }
    [[nodiscard]] Trace* get() const { return trace_; }
    [[nodiscard]] std::uint8_t branch() const { return branch_; }
    [[nodiscard]] std::uint16_t handle() const { return trace_ != nullptr ? trace_->handle() : 0; }
    // Adds an event, if there is a trace.
    void note(Now now, TraceWhat what, unsigned flags = 0, unsigned pc = 0, std::uint32_t b = 0,
              std::uint32_t c = 0, std::span<const std::uint8_t> payload = {}) const noexcept {
        trace_->note(now, branch_,
                     {.what = what,
                      .flags = static_cast<std::uint8_t>(flags),
                      .pc = static_cast<std::uint16_t>(pc),
                      .at_ms = 0,
                      .cells = 0,
                      .branch = 0,
                      .b = b,
                      .c = c},
                     payload);
    }

  private:
    Trace* trace_ = nullptr;
    std::uint8_t branch_ = 0;
};

// The upstreams' events for an outstanding query (dataplane/forward), in a separate small buffer.
// The outstanding query may have begun before the traced query joined it, and may belong to another
// worker.
struct TrailEvent {
    std::uint64_t at_ms;
    TraceWhat what;
    std::uint8_t flags;
    std::uint16_t upstream;
    std::uint32_t b;
};
static_assert(sizeof(TrailEvent) == 16);
void note_trail(Buffer& trail, const TrailEvent& event) noexcept;
// The extended errors (RFC 8914) in a reply's options, each with the first kMaxEdeText bytes of its
// text.
inline constexpr std::size_t kMaxEdeText = 128;
void note_trail_errors(Buffer& trail, std::span<const std::uint8_t> options, std::uint16_t upstream,
                       Now now) noexcept;
// Adds them to a trace, as the event `what`.
void note_errors(const TraceRef& trace, std::span<const std::uint8_t> options, TraceWhat what,
                 Now now) noexcept;
// Copies the trail into a trace. Events before `waits_since_ms` get that time.
void copy_trail(const TraceRef& trace, const Buffer& trail) noexcept;

}  // namespace steer
