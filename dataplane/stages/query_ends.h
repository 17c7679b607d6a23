// Notes each query that ends: always in the counts of QueryCounters, and as a QueryRecord while
// control requests records.
//
// In:   the end of each query with a client, from Replier; the beginning and the end of each turn.
// Out:  counts; records in the worker's RecordRing, published at the end of the turn.
// Cost: per answered packet, two increments (for a plain hit, three) and a decrement in the
//       worker's own memory. Per turn, two readings of the TSC and one load of
//       Shared::record_one_in (two more while records are requested). Counts of up to kTurns busy
//       turns are added to QueryCounters together.
//
// A packet's duration is that of its turn, so all packets that end in one turn are counted
// together. A parked query's duration counts from its arrival, by the worker's clock.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "dataplane/base/counters.h"
#include "dataplane/base/query_counters.h"
#include "dataplane/dns/query.h"
#include "dataplane/policy/parked.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/query_record.h"
#include "dataplane/stages/shared.h"

namespace steer {

// The source of an answer, and the state of its program.
struct AnswerSource {
    AnswerPath path;
    std::uint16_t cache = QueryRecord::kNone;  // CacheInstance::id
    const ProgramState* state = nullptr;       // nullptr: no program ran
};

// The reply sent to the client.
struct SentReply {
    std::uint16_t rcode = QueryRecord::kNone;  // kNone: nothing is sent
    std::optional<dns::Ede> ede = std::nullopt;
    std::span<const std::uint8_t> message{};
};

class QueryEnds {
  public:
    static constexpr unsigned kTurns = 64;

    // `ring` may be nullptr: no records. The constructor allocates all memory that it needs.
    QueryEnds(unsigned worker, const Shared& shared, RecordRing* ring, Counters& counters);

    void begin_turn(Now now, const Snapshot* snapshot) noexcept;
    // Call it after all lanes were sent. `busy`: the turn had work.
    void end_turn(bool busy) noexcept;
    // Any thread may read it.
    [[nodiscard]] const QueryCounters& counters() const noexcept { return totals_; }

    // Queries have arrived by ports or from `streams`.
    void received(ClientTransport transport, unsigned n) noexcept {
        if (n > 0) totals_.received(transport, n);
    }

    // ---- counts: once for each query

    // The counter of an answer with this rcode, for answered().
    static std::uint16_t end_of(const dns::QueryHead& q, std::uint8_t rcode) noexcept {
        return static_cast<std::uint16_t>(q.type_row + rcode);
    }
    void answered(std::uint16_t end, AnswerPath path) noexcept {
        ++ends_[end];
        ++paths_[static_cast<std::size_t>(path)];
    }
    void answered(const dns::QueryHead& q, std::uint8_t rcode, AnswerPath path) noexcept {
        answered(end_of(q, rcode), path);
    }
    // A plain hit in this cache (cache::Entry::instance).
    void hit(std::uint16_t cache) noexcept { ++hits_[cache]; }
    void refused(const dns::QueryHead& q, std::uint16_t rcode) noexcept {
        ++ends_[q.type_row + dns::column_of_rcode(rcode)];
    }
    void dropped(const dns::QueryHead& q) noexcept { ++ends_[q.type_row + dns::kNoReplyColumn]; }
    void answered(const Parked& p, std::uint8_t rcode) noexcept;
    // Adds at once, not with the turn's counts: a timer may end a query in a turn without work.
    void dropped(const Parked& p) noexcept {
        totals_.ends[dns::type_row_of(dns::counted_as(p.qtype)) + dns::kNoReplyColumn].add();
    }

    // Counts what the policy decided; plain hits are not counted.
    void count_decision(const ProgramState& state) noexcept { count_decision(*snapshot_, state); }

    // ---- records

    // Whether to record a query. Call it once for each query that ends.
    [[nodiscard]] bool is_due() noexcept {
        if (--until_due_ != 0) return false;
        until_due_ = one_in_;
        return true;
    }
    // The number of calls of is_due() until it returns true; 1: the next one does.
    [[nodiscard]] std::uint32_t until_due() const noexcept { return until_due_; }
    // Prefetches what record() writes.
    void prefetch_record() const noexcept {
        if (ring_ != nullptr) ring_->prefetch();
    }
    // The plan of a query in the burst that a plain hit answers, or the program of one that gets no
    // answer of it, for the next record. nullptr at its end.
    void note_plan(const Plan* plan) noexcept { plan_ = plan; }
    void note_program(const ProgramState* state) noexcept { state_ = state; }
    // Copies the query, if its record needs it, because its reply will be written over it.
    void keep_query(const Packet& p) noexcept;
    // Writes the record of a query for which is_due() returned true. It may be changed until the
    // end of the turn. nullptr: no space.
    QueryRecord* record(const Packet& p, bool moved, EndRow end, const AnswerSource& source,
                        const SentReply& reply) noexcept;
    QueryRecord* record(const Parked& p, EndRow end, const SentReply& reply) noexcept;

  private:
    void count_decision(const Snapshot& snapshot, const ProgramState& state) noexcept {
        if (decided_at(state) != ProgramState::kNowhere) [[unlikely]]
            count_decided(snapshot, state);
    }
    void count_decided(const Snapshot& snapshot, const ProgramState& state) noexcept;
    // Bytes of a query without a readable question that are always stored.
    static constexpr std::size_t kUnreadable = 272;

    // Whether the record of a response with `response` bytes has the question in them, and nothing
    // else of the query. `question_end`: of the query; 0: there is no readable question.
    [[nodiscard]] bool question_is_in(std::size_t response,
                                      std::size_t question_end) const noexcept {
        return question_end != 0 && query_bytes_ == 0 &&
               std::min<std::size_t>(response, response_bytes_) >= question_end;
    }
    // Puts the record into the ring.
    QueryRecord* write(QueryRecord& head, std::span<const std::uint8_t> query,
                       std::size_t question_end, std::span<const std::uint8_t> response) noexcept;
    // `since_ns`: nanoseconds since the turn began.
    void fill(QueryRecord& head, EndRow end, AnswerPath path, const SentReply& reply,
              std::uint64_t since_ns) const noexcept;
    static void fill_state(QueryRecord& head, const Snapshot& snapshot,
                           const ProgramState& state) noexcept;
    void fill_plain_hit(QueryRecord& head, const cache::Entry& hit) const noexcept;
    std::size_t write_query(const Parked& p) noexcept;
    [[nodiscard]] std::uint64_t turn_ns() const noexcept;
    void fold() noexcept;

    const Shared& shared_;
    RecordRing* const ring_;
    Counters& counters_;
    const std::uint8_t worker_;
    const double ns_per_cycle_;

    // Time of this turn.
    Now now_{};
    std::uint64_t begun_tsc_ = 0;
    const Snapshot* snapshot_ = nullptr;
    std::uint32_t one_in_ = 0;
    std::uint16_t query_bytes_ = 0, response_bytes_ = 0;  // limits in a record
    std::array<std::uint32_t, kAnswerPaths.size()> paths_{};
    // Number of turns since fold(), with counts as in QueryCounters::ends.
    unsigned unfolded_ = 0;
    std::array<std::uint32_t, dns::kTypeTable> ends_{};
    std::array<std::uint32_t, kCountedCaches> hits_{};  // plain hits, by cache

    std::uint32_t until_due_ = UINT32_MAX;  // queries; without records, more than a turn has
    std::uint32_t lost_ = 0;
    const Plan* plan_ = nullptr;
    const ProgramState* state_ = nullptr;
    std::size_t kept_ = 0;  // bytes in `query_`
    // Has CPU cache lines of its own, because its neighbours on the heap may be of other workers.
    struct alignas(64) KeptQuery : std::array<std::uint8_t, dns::kMaxMessage> {};
    std::unique_ptr<KeptQuery> query_;
    QueryCounters totals_;
};

}  // namespace steer
