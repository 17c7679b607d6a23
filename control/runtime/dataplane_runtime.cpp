#include "control/runtime/dataplane_runtime.h"

#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "control/host/process/call_filters.h"
#include "control/host/process/heartbeat.h"
#include "dataplane/base/memory_node.h"
#include "dataplane/port/eal.h"
#include "dataplane/port/unmap_guard.h"

namespace steer {
namespace {

// Elements of a ring. Messages are small and bursts come from bursts; an event or a note is large and
// what does not fit is counted by its pusher.
constexpr unsigned kMessages = 8192;
constexpr unsigned kAcknowledgements = 8192;
constexpr unsigned kEvents = 4096;
constexpr unsigned kNotes = 1024;
constexpr unsigned kTraces = 128;
constexpr unsigned kFrameCells = 8192;  // 512 KiB

[[noreturn]] void die(const char* what) {
    std::fprintf(stderr, "steerdnsd: %s\n", what);
    std::abort();
}

std::unique_ptr<Sleeper> make_sleeper() {
    const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0) die("no event descriptor left: raise the limit of open files (ulimit -n)");
    return std::make_unique<Sleeper>(fd);
}

rte_rcu_qsbr* make_qsbr(unsigned streams) {
    const unsigned readers = kFirstStreamReader + streams;
    const std::size_t size = rte_rcu_qsbr_get_memsize(readers);
    auto* qsbr = static_cast<rte_rcu_qsbr*>(
        rte_zmalloc_socket("steer_qsbr", size, RTE_CACHE_LINE_SIZE, memory_node()));
    if (qsbr == nullptr || rte_rcu_qsbr_init(qsbr, readers) != 0) die("no memory for QSBR state");
    return qsbr;
}

}  // namespace

// DPDK's launch and wait order memory accesses before and after them. `ended` shows that to the sanitizer, which does
// not see into DPDK.
struct DataplaneRuntime::Run {
    Worker& worker;
    MemoryPolicy memory;
    std::atomic<bool> ended{false};
    Heartbeat heartbeat{};  // for its thread's number only
};

int DataplaneRuntime::run_worker(void* run) {
    auto& self = *static_cast<Run*>(run);
    (void)self.ended.load(std::memory_order_acquire);
    self.heartbeat.begin();
    // DPDK's start made the thread, and so gave it the policy that it had itself.
    self.memory.set();
    filter_this_thread(ThreadKind::worker);
    self.worker.run();
    self.ended.store(true, std::memory_order_release);
    return 0;
}

DataplaneRuntime::DataplaneRuntime(const RuntimeOptions& options) : options_(options) {
    const OnNode shared_memory(node_of(0));
    lists_ = std::make_unique<ListStates>();
    buffers_ =
        std::make_unique<BufferPools>(options.small_buffers * workers(), options.large_buffers);
    std::array<std::uint8_t, 16> secret{};
    if (::getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size())) {
        die("the system has no random numbers");
    }
    hasher_ = std::make_unique<cache::KeyHasher>(secret);
    shared_.qsbr = make_qsbr(options.streams);
    guard_unmapping(shared_.qsbr);
    board_ = std::make_unique<RowBoard>(options.board_rows, shared_.qsbr);
    if (options.cache_bytes > 0) {
        std::vector<int> nodes;  // those of the cache writers
        for (unsigned shard = 0; shard < options.cache_shards; ++shard)
            nodes.push_back(
                node_of(cache::writer_of_shard(shard, options.cache_shards, workers())));
        cache_ = std::make_unique<cache::Cache>(
            cache::CacheOptions{.budget_bytes = options.cache_bytes,
                                .instance_sizes = options.cache_entries,
                                .shards = options.cache_shards,
                                .workers = workers(),
                                .shard_nodes = nodes},
            shared_.qsbr);
    }
    shared_.buffers = buffers_.get();
    shared_.cache = cache_.get();
    shared_.hasher = hasher_.get();
    shared_.board = board_.get();
    shared_.lists = lists_.get();

    routers_sleeper_ = make_sleeper();
    for (unsigned w = 0; w < workers(); ++w)
        worker_sleepers_.push_back(make_sleeper());
    for (unsigned s = 0; s < options.streams; ++s)
        stream_sleepers_.push_back(make_sleeper());

    to_stream_.resize(options.streams);
    from_stream_.resize(options.streams);
    between_.resize(workers());
    for (unsigned w = 0; w < workers(); ++w) {
        const OnNode own_memory(node_of(w));
        Sleeper* const sleeper = worker_sleepers_[w].get();
        events_.push_back(std::make_unique<Ring<Event>>(kEvents, routers_sleeper_.get()));
        acknowledgements_.push_back(std::make_unique<Ring<Message>>(kAcknowledgements, sleeper));
        notes_.push_back(std::make_unique<Ring<Note>>(kNotes, nullptr));
        records_.push_back(std::make_unique<RecordRing>(options.record_cells));
        frames_.push_back(std::make_unique<CellRing>(kFrameCells));
        traces_.push_back(std::make_unique<Ring<TraceMessage>>(kTraces, nullptr));
        for (unsigned s = 0; s < options.streams; ++s) {
            to_stream_[s].push_back(
                std::make_unique<Ring<Message>>(kMessages, stream_sleepers_[s].get()));
            from_stream_[s].push_back(std::make_unique<Ring<Message>>(kMessages, sleeper));
        }
        for (unsigned to = 0; to < workers(); ++to) {
            const OnNode popper_memory(node_of(to));
            between_[w].push_back(
                to == w ? nullptr
                        : std::make_unique<Ring<Message>>(kMessages, worker_sleepers_[to].get()));
        }
    }
}

DataplaneRuntime::~DataplaneRuntime() {
    stop();
    workers_.clear();
    cache_.reset();
    board_.reset();
    guard_unmapping(nullptr);
    rte_free(shared_.qsbr);
    const auto close_fd = [](const std::unique_ptr<Sleeper>& s) { ::close(s->event_fd()); };
    close_fd(routers_sleeper_);
    for (const auto& s : worker_sleepers_)
        close_fd(s);
    for (const auto& s : stream_sleepers_)
        close_fd(s);
}

Worker& DataplaneRuntime::add_worker(std::vector<Port*> ports, Clock& clock) {
    const auto index = static_cast<unsigned>(workers_.size());
    if (index >= workers()) die("more workers than planned");
    WorkerRings rings;
    for (unsigned other = 0; other < workers(); ++other) {
        rings.to_worker[other] = between_[index][other].get();
        rings.from_worker[other] = between_[other][index].get();
    }
    for (unsigned s = 0; s < options_.streams; ++s) {
        rings.to_stream[s] = to_stream_[s][index].get();
        rings.from_stream[s] = from_stream_[s][index].get();
    }
    rings.from_routers = acknowledgements_[index].get();
    rings.to_routers = events_[index].get();
    rings.to_main = notes_[index].get();
    rings.records = records_[index].get();
    rings.frames = frames_[index].get();
    rings.traces = traces_[index].get();

    WorkerOptions worker = options_.worker;
    worker.index = index;
    const OnNode own_memory(node_of(index));
    workers_.push_back(std::make_unique<Worker>(worker, shared_, rings, std::move(ports),
                                                *worker_sleepers_[index], clock));
    return *workers_.back();
}

int DataplaneRuntime::node_of(unsigned worker) const {
    return worker < options_.worker_nodes.size() ? options_.worker_nodes[worker] : kAnyNode;
}

void DataplaneRuntime::start() {
    const MemoryPolicy own = MemoryPolicy::of_thread();
    expect_filtered(static_cast<unsigned>(workers_.size()));
    for (unsigned i = 0; i < workers_.size(); ++i) {
        const unsigned lcore = Eal::lcore_of_worker(i);
        if (rte_lcore_is_enabled(lcore) == 0)
            die("EAL was started with fewer lcores than there are workers");
        Run& run = *runs_.emplace_back(new Run{
            *workers_[i], node_of(i) == kAnyNode ? own : MemoryPolicy::preferring(node_of(i))});
        run.ended.store(false, std::memory_order_release);
        if (rte_eal_remote_launch(run_worker, &run, lcore) != 0) die("an lcore is busy already");
    }
    running_ = true;
}

pid_t DataplaneRuntime::worker_tid(unsigned i) const {
    return i < runs_.size() ? runs_[i]->heartbeat.tid() : 0;
}

void DataplaneRuntime::stop() {
    if (!running_) return;
    for (const auto& w : workers_)
        w->stop();
    rte_eal_mp_wait_lcore();
    for (const auto& run : runs_)
        (void)run->ended.load(std::memory_order_acquire);
    running_ = false;
}

}  // namespace steer
