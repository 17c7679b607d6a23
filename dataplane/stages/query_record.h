// The record of a client's query that ended: client, question, path, answer and duration.
//
// While `Shared::record_one_in` is N (not 0), a worker writes a record for one of N ended queries,
// to its own ring (WorkerRings::records, RecordRing). A query has at most one record, for any end.
// Background refreshes and branches of queries have none. A parked query gets its record when it
// ends. If the ring is full, the record is lost: `lost` in the next record and Stat::records_lost
// count it.
//
// Numbers are in host order, messages in wire format. The layout may change between versions of the
// daemon.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "dataplane/base/list_state.h"
#include "dataplane/base/message.h"
#include "dataplane/base/record_ring.h"
#include "dataplane/base/verdict.h"
#include "dataplane/policy/decision.h"
#include "matchers/counter_table.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

//    name, description
#define STEER_ANSWER_PATHS(X)                                                      \
    X(packet_cache, "by the packet cache: the same query came before")             \
    X(cache, "from the cache")                                                     \
    X(stale, "from the cache after its TTL (RFC 8767)")                            \
    X(local, "without cache and upstream: static records, leases, lists, rejects") \
    X(forwarded, "after an upstream was asked")                                    \
    X(error, "no answer of the policy: malformed, refused, over a quota, dropped")

STEER_COUNTER_ENUM(AnswerPath, kAnswerPaths, STEER_ANSWER_PATHS);

struct QueryRecord {
    static constexpr std::uint16_t kNone = UINT16_MAX;
    static constexpr std::size_t kMaxLists = 8;  // further ones are not stored
    static constexpr unsigned kMarkBits = 48;    // bits of ProgramState::marks, the lowest ones
    // Flags in `how`.
    static constexpr std::uint8_t kInjected = 1;  // a message from `streams`
    static constexpr std::uint8_t kMoved = 2;     // another worker received it
    static constexpr std::uint8_t kParked = 4;    // it was parked: `end` is a row of kind "parked"
    static constexpr std::uint8_t kHeld = 8;      // ... for a router

    // ---- first cell
    std::uint16_t cells;  // of this record, written by CellRing
    EndRow end;           // row of kEnds
    AnswerPath path;
    ClientTransport transport;
    std::uint8_t worker;
    std::uint8_t entry;             // of the program, as Packet::entry
    std::uint8_t how;               // kInjected, kMoved, kParked, kHeld
    std::uint64_t ended_ns;         // CLOCK_BOOTTIME
    std::uint64_t trace_id;         // TraceHead::id of the query's trace; 0: not traced
    std::uint32_t duration_us;      // from the turn that received it until the reply was written
    std::uint32_t stands_for;       // number of queries that it represents (sampling); at least 1
    std::uint32_t lost;             // records lost since the last one
    std::uint32_t generation;       // of the snapshot in force
    std::uint16_t query_bytes;      // bytes behind this head: see query() ...
    std::uint16_t response_bytes;   // ... and then of the response
    std::uint16_t query_length;     // of the whole message
    std::uint16_t response_length;  // 0: nothing was sent
    std::uint16_t rcode;            // with the extended bits; kNone: no reply
    std::uint16_t ede;              // info code of RFC 8914; kNone
    std::uint16_t upstream;         // Upstream::id of the answer's source; kNone
    std::uint16_t qtype;            // this and the next are 0 without a question
    std::uint16_t qclass;
    std::uint16_t flags;  // the query's header word
    std::uint16_t client_port, local_port;
    // ---- second cell
    IpAddress client, local;
    std::uint32_t tag_set;                   // id in the snapshot's TagSets; 0: not known
    std::uint8_t qname_len;                  // 0: the question is not readable
    std::uint8_t list_count;                 // of `lists`
    std::uint16_t cache;                     // CacheInstance::id of the answer's cache; kNone
    std::array<ListId, kMaxLists> lists;     // lists that claimed the answer
    std::uint16_t udp_size;                  // size in the client's EDNS; 0: no EDNS
    std::array<std::uint16_t, 3> mark_bits;  // marks that the program set, lowest 16 bits first
    // ---- behind these cells
    std::uint16_t decided_at;  // program counter of the instruction that decided, in `generation`;
                               // ProgramState::kNowhere: none
    std::uint8_t part;         // its list or zone; ProgramState::kNoPart
    PolicyDecision decision;
    std::uint32_t serial;  // of the zone by transfer that decided, when the query ended; 0: none

    void set_marks(std::uint64_t marks) noexcept {
        for (std::uint16_t& bits : mark_bits) {
            bits = static_cast<std::uint16_t>(marks);
            marks >>= 16U;
        }
    }
    [[nodiscard]] std::uint64_t marks() const noexcept {
        return std::uint64_t{mark_bits[2]} << 32U | std::uint64_t{mark_bits[1]} << 16U |
               mark_bits[0];
    }
};
static_assert(offsetof(QueryRecord, client) == CellRing::kCell &&
              offsetof(QueryRecord, decided_at) == 2 * CellRing::kCell &&
              sizeof(QueryRecord) == 2 * CellRing::kCell + 8);
static_assert(std::is_trivially_copyable_v<QueryRecord>);

// One record in the ring; valid only during the call.
struct QueryRecordView {
    const QueryRecord& head;
    // The beginning of the query: at least header and question, if there is a question; up to the
    // limit that control set. For a query without a readable question, 272 bytes. For a parked
    // query, it is rebuilt from the record: header, question, OPT with size, DO and subnet. Empty if
    // that limit is 0 and the response has the question.
    std::span<const std::uint8_t> query;
    // The beginning of the response, up to control's limit.
    std::span<const std::uint8_t> response;

    // Wire form in the client's case, with the root byte. Empty: the question is not readable.
    [[nodiscard]] std::span<const std::uint8_t> qname() const {
        constexpr std::size_t kHeader = 12;
        if (head.qname_len == 0) return {};
        return (query.empty() ? response : query).subspan(kHeader, head.qname_len);
    }

    // The view of a record's cells, in the format of CellRing::for_each().
    static QueryRecordView of(std::span<const std::uint8_t> cells) {
        const auto& head = *reinterpret_cast<const QueryRecord*>(cells.data());
        const auto messages = cells.subspan(sizeof(QueryRecord));
        return {head, messages.first(head.query_bytes),
                messages.subspan(head.query_bytes, head.response_bytes)};
    }
};

// Reads the rings of all workers. One thread at a time.
class QueryRecords {
  public:
    // One ring per worker; the rings must outlive this object.
    explicit QueryRecords(std::vector<RecordRing*> rings) : rings_(std::move(rings)) {}

    // Calls `visit(const QueryRecordView&)` with each published record: worker by worker, in the
    // order of ends. Reads each ring of a worker at most twice, so it returns even under load.
    // Returns the number of records.
    template <class Visit>
    unsigned for_each(Visit&& visit) {
        unsigned records = 0;
        for (RecordRing* const ring : rings_) {
            records += ring->for_each([&visit](std::span<const std::uint8_t> cells) {
                visit(QueryRecordView::of(cells));
            });
        }
        return records;
    }

  private:
    std::vector<RecordRing*> rings_;
};

}  // namespace steer
