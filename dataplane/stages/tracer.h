// Begins and ends the traces (policy/trace.h) of a worker's queries.
//
// A query is traced if it was injected with a trace id (`steerctl explain`), or if a filter of
// control selects it (`steerctl trace`). Without either, the cost is one load per burst.
//
// A worker has at most kMost traces. If no trace or buffer is free, or the ring is full, a query is
// answered without a trace. TraceHead::passed_by of the next trace counts it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/base/counters.h"
#include "dataplane/base/ring.h"
#include "dataplane/policy/executor.h"
#include "dataplane/policy/trace.h"
#include "dataplane/stages/burst.h"
#include "matchers/prefix/prefix_set.h"

namespace steer {

// Selects queries to trace. Constant after publication.
struct TraceFilter {
    std::uint32_t one_in = 1;            // traces one of N queries that meet the other conditions
    matchers::PrefixSet clients;         // empty: all
    std::array<std::uint8_t, 256> name;  // lower-cased wire form
    std::uint8_t name_len = 0;           // 0: all names
    bool below = false;                  // also names below it
    std::uint8_t number = 0;             // its bit in TraceHead::filters; below kMaxTraceFilters
    std::shared_ptr<const TraceFilter> next{};  // a query is traced if any of the chain selects it
};
inline constexpr unsigned kMaxTraceFilters = 8;

// To the main thread. Owns the buffer, which has a TraceHead and its events.
struct TraceMessage {
    Buffer* buffer;
};

class Tracer {
  public:
    static constexpr unsigned kMost = 64;

    // Without a ring there are no traces. `now`: time of the worker's turn. The first id is
    // `traces_from`.
    Tracer(unsigned worker, std::uint64_t traces_from, BufferPools& buffers,
           Ring<TraceMessage>* to_main, const std::atomic<const TraceFilter*>& filter,
           const Now& now);
    ~Tracer();
    Tracer(const Tracer&) = delete;
    Tracer& operator=(const Tracer&) = delete;

    // Begins traces for packets of the burst; their entries must be known.
    void inspect(Burst& burst, const Snapshot& snapshot, Now now) noexcept {
        const TraceFilter* const filter = filter_.load(std::memory_order_acquire);
        if (filter != nullptr || burst.traced != 0) [[unlikely]]
            begin(burst, snapshot, filter, now);
    }
    // These functions are only for a burst with `traced` != 0. This one follows the packet cache:
    // notes packets that it answered, and for injected ones what it would have done (`foresee`).
    template <class Foresee>
    void after_packet_cache(Burst& burst, const Snapshot& snapshot, Executor& executor, Now now,
                            Foresee foresee) noexcept {
        for (unsigned i = 0; i < burst.live_count; ++i) {
            const Packet& p = burst.packets[burst.live[i]];
            const TraceRef trace = of(burst, burst.live[i]);
            if (trace && p.mbuf == nullptr) trace.get()->packet_cache = foresee(p);
        }
        end_answered(burst, snapshot, executor, now);
    }
    // Follows parse() and limit_queries(): ends the traces of packets that ended there.
    void after_parse(Burst& burst, Now now) noexcept;
    // Follows the program: notes plain hits, and other queries that did not park.
    void after_program(Burst& burst, const Snapshot& snapshot, Executor& executor,
                       Now now) noexcept;

    // The trace of a packet of the burst, or of a record.
    [[nodiscard]] TraceRef of(const Burst& burst, unsigned place) noexcept;
    [[nodiscard]] TraceRef find(std::uint16_t handle, std::uint8_t branch) noexcept;
    // The id of a trace that is open or has just ended, for the query's record; 0: the query has no
    // trace.
    [[nodiscard]] std::uint64_t id_of(const Packet& p) const noexcept;
    [[nodiscard]] std::uint64_t id_of(const Parked& p) const noexcept;
    // Ends a trace with its query.
    void end(const TraceRef& trace, TraceEnd table, unsigned number, Now now) noexcept;
    // Notes a packet that gets an error without the program.
    void refused(const Packet& p, std::uint16_t rcode, std::optional<dns::Ede> ede) noexcept {
        if (burst_ != nullptr && burst_->traced != 0) [[unlikely]]
            note_refused(p, rcode, ede);
    }
    // Ends the trace of a record, with or without an answer. Replier calls it.
    void ended(const Parked& p, PendingOutcome end) noexcept;
    void answered(const Parked& p, const dns::Answer& answer, const dns::ReplyOptions& options,
                  PendingOutcome end) noexcept;
    // Ends the trace of a record that was freed without an end.
    void lost(const Parked& p) noexcept;

  private:
    void end_answered(Burst& burst, const Snapshot& snapshot, Executor& executor, Now now) noexcept;
    void note_refused(const Packet& p, std::uint16_t rcode, std::optional<dns::Ede> ede) noexcept;
    // 0: its burst has no traces, or it is not traced.
    [[nodiscard]] std::uint16_t handle_of(const Packet& p) const noexcept;
    void begin(Burst& burst, const Snapshot& snapshot, const TraceFilter* filter, Now now) noexcept;
    // The filters that select the packet now, as TraceHead::filters.
    std::uint8_t select(const TraceFilter* filter, const Packet& p) noexcept;
    bool begin_one(const Packet& p, const Snapshot& snapshot, std::uint64_t id,
                   std::uint8_t filters, Now now, std::uint16_t& handle) noexcept;
    void note_hit(Packet& p, const Snapshot& snapshot, Executor& executor, bool by_packet_cache,
                  const TraceRef& trace, Now now) noexcept;
    void end_packet(Burst& burst, unsigned place, Verdict v, Now now) noexcept;

    unsigned worker_;
    BufferPools& buffers_;
    Ring<TraceMessage>* to_main_;
    const std::atomic<const TraceFilter*>& filter_;
    const Now& now_;
    std::array<Trace, kMost> traces_;
    std::array<std::uint64_t, kMost> ids_{};           // of each slot's last trace ...
    std::array<std::uint16_t, kMost> last_handles_{};  // ... and its handle
    const Burst* burst_ =
        nullptr;  // burst of the last trace that began; compared, and read while it has traces
    std::uint32_t serial_ = 0;
    // By filter: selected queries until its next trace.
    std::array<std::uint32_t, kMaxTraceFilters> skip_{};
    std::uint32_t passed_by_ = 0;
    std::uint64_t next_id_;
};

// Notes the answer to send in a trace. `has_edns`: the client's query has EDNS; without it no
// extended error is sent.
void note_decided(const TraceRef& trace, const Snapshot& snapshot, const ProgramState& state,
                  Now now) noexcept;
void note_answer(const TraceRef& trace, const dns::Answer& answer, const dns::ReplyOptions& options,
                 bool has_edns, Now now) noexcept;

}  // namespace steer
