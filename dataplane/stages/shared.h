// What a worker is constructed with: the state that all workers share, its rings, and its options.
//
// Plain words and pointers. A comment beside each names its writer; docs/explanation/ownership.md
// has all shared state. Control creates all of it before the first worker
// (control/runtime/dataplane_runtime.h). Each stage gets the parts that it needs.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/base/buffer.h"
#include "dataplane/base/list_state.h"
#include "dataplane/base/message.h"
#include "dataplane/base/note.h"
#include "dataplane/base/random_case.h"
#include "dataplane/base/ring.h"
#include "dataplane/cache/cache.h"
#include "dataplane/dns/cookie.h"
#include "dataplane/event/event.h"
#include "dataplane/event/row_board.h"
#include "dataplane/forward/loop_board.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/port/next_hop.h"
#include "dataplane/port/port.h"
#include "dataplane/stages/query_record.h"

struct rte_rcu_qsbr;

namespace steer {

struct CaptureFilter;
struct TraceFilter;
struct TraceMessage;

inline constexpr unsigned kMaxStreams = 8;

enum class Idle : std::uint8_t { spin, pause, adaptive };

// State shared by all workers. Control creates it before the first worker. It outlives the last
// one. Its writers:
struct Shared {
    std::atomic<const Snapshot*> snapshot{nullptr};       // control
    std::atomic<const NextHopTable*> next_hops{nullptr};  // control
    // Control; nullptr: cookies are ignored.
    std::atomic<const dns::CookieKeys*> cookie_keys{nullptr};
    // Parked queries by generation slot and worker. Each worker writes its own words; control reads
    // them.
    struct alignas(64) ParkedCounts {
        std::array<std::atomic<std::uint32_t>, kMaxGenerations> by_slot{};
    };
    std::array<ParkedCounts, kMaxWorkers> parked{};
    // Control sets it: workers end parked queries of this generation and older with SERVFAIL (0:
    // none).
    std::atomic<std::uint32_t> retire_generation{0};
    // Control sets them: one of N ended queries is recorded (0: none), with up to these numbers of
    // bytes of its query and its response. 0 query bytes: QueryRecordView::query may be empty.
    std::atomic<std::uint32_t> record_one_in{0};
    std::atomic<std::uint16_t> record_query_bytes{0}, record_response_bytes{0};
    // Control sets it: the queries to trace (nullptr: only injected ones with a trace id).
    std::atomic<const TraceFilter*> trace_filter{nullptr};
    // Control sets it: the frames to copy (capture.h; nullptr: none).
    std::atomic<const CaptureFilter*> capture{nullptr};
    // All ports. The workers' constructors write this; then it is constant.
    struct PortOwner {
        int if_index;
        std::uint8_t worker;
        std::uint8_t index = 0;  // index in the worker's ports
        unsigned queues = 1;     // queues of its device: number of ports with this name
        Port* port = nullptr;    // other workers use only its pool
    };
    std::vector<PortOwner> port_owners;
    rte_rcu_qsbr* qsbr = nullptr;  // worker i is reader i
    BufferPools* buffers = nullptr;
    cache::Cache* cache = nullptr;  // nullptr: no cache in the configuration
    const cache::KeyHasher* hasher = nullptr;
    RowBoard* board = nullptr;
    ListStates* lists = nullptr;
    forward::LoopBoard loops;  // workers alone
};

static_assert(cache::Cache::kMaxShards >= kMaxWorkers, "each worker may write a shard");
static_assert(sizeof(Shared::ParkedCounts) == 64, "one line per worker");
static_assert(offsetof(Shared, parked) % 64 == 0 && offsetof(Shared, retire_generation) >=
                                                        offsetof(Shared, parked) + 64 * kMaxWorkers,
              "data that workers write is apart from read-only data");

// Rings of one worker. nullptr where there is none (a ring from a worker to itself).
struct WorkerRings {
    std::array<Ring<Message>*, kMaxWorkers> to_worker{}, from_worker{};
    std::array<Ring<Message>*, kMaxStreams> to_stream{}, from_stream{};
    Ring<Message>* from_routers = nullptr;  // MessageKind::acknowledged
    Ring<Event>* to_routers = nullptr;
    Ring<Note>* to_main = nullptr;
    RecordRing* records = nullptr;         // of QueryRecord, to control's QueryRecords
    Ring<TraceMessage>* traces = nullptr;  // to the main thread
    CellRing* frames = nullptr;            // of CapturedFrame, to the main thread
};

// The action for a query above a quota. `truncate`: above its client's quota, TC over UDP and
// SERVFAIL over TCP; above its domain's quota, no reply over UDP and SERVFAIL over TCP.
enum class OverQuota : std::uint8_t { drop, servfail, truncate };

struct WorkerOptions {
    unsigned index = 0, workers = 1;
    Idle idle = Idle::adaptive;
    // Distribute the queries of a device with fewer queues than workers (software_rss.h).
    bool spread = true;
    unsigned max_parked = 65536;
    unsigned max_parked_per_client = 256;
    unsigned max_in_flight = 16384;
    unsigned suffix_percent = 25;  // of max_parked and max_in_flight, for names below one suffix
    OverQuota over_quota = OverQuota::truncate;
    std::uint16_t first_upstream_port = 10240, last_upstream_port = 26623;
    RandomCase random_case = RandomCase::never;
    std::uint64_t random_seed = 0;  // 0: the system gives it
    std::uint64_t traces_from = 0;  // first id of a trace: first_trace_id()
};

}  // namespace steer
