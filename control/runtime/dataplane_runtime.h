// The dataplane for control: all state that workers share, their rings, and their lcores.
//
// Built once at the start (EAL must be initialized), before the first thread of control; it does
// not grow afterwards. DataplaneRuntime owns all memory and the workers. Ports belong to the caller
// and must outlive it. Rings have one pusher and one popper each, named in their getters.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "control/program/reload/runtime_options.h"
#include "control/runtime/needed_hosts.h"
#include "dataplane/stages/tracer.h"
#include "dataplane/worker.h"
#include "matchers/result.h"

namespace steer {

// Reader numbers in Shared::qsbr: workers have the lowest ones, then comes the thread that walks the
// cache, then the threads of `streams`.
inline constexpr unsigned kWalkReader = kMaxWorkers;
inline constexpr unsigned kFirstStreamReader = kWalkReader + 1;

class DataplaneRuntime {
  public:
    // Aborts with a message if there is not enough memory: the caller computes the sizes
    // (control/program/reload/sizing.h).
    explicit DataplaneRuntime(const RuntimeOptions& options);
    ~DataplaneRuntime();
    DataplaneRuntime(const DataplaneRuntime&) = delete;
    DataplaneRuntime& operator=(const DataplaneRuntime&) = delete;

    [[nodiscard]] Shared& shared() { return shared_; }
    [[nodiscard]] unsigned workers() const { return options_.worker.workers; }
    [[nodiscard]] unsigned streams() const { return options_.streams; }
    [[nodiscard]] std::uint64_t traces_from() const { return options_.worker.traces_from; }

    // Adds worker `i` with its ports. Add all workers before start(). `clock` must outlive the
    // runtime.
    Worker& add_worker(std::vector<Port*> ports, Clock& clock);
    [[nodiscard]] Worker& worker(unsigned i) { return *workers_[i]; }
    [[nodiscard]] const Worker& worker(unsigned i) const { return *workers_[i]; }

    // Starts one worker on each of EAL's worker lcores, in order; there must be enough of them.
    void start();
    // Stops the workers and waits for them. May be called again.
    void stop();

    // Thread `routers` pops these and pushes those.
    [[nodiscard]] Ring<Event>& events(unsigned worker) { return *events_[worker]; }
    [[nodiscard]] Ring<Message>& acknowledgements(unsigned worker) {
        return *acknowledgements_[worker];
    }
    // Thread `streams` number `stream` pops these and pushes those.
    [[nodiscard]] Ring<Message>& worker_to_stream(unsigned worker, unsigned stream) {
        return *to_stream_[stream][worker];
    }
    [[nodiscard]] Ring<Message>& stream_to_worker(unsigned stream, unsigned worker) {
        return *from_stream_[stream][worker];
    }
    // The main thread pops these. It polls: pushes do not wake it.
    [[nodiscard]] Ring<Note>& notes(unsigned worker) { return *notes_[worker]; }
    // The main thread pops these and owns their buffers.
    [[nodiscard]] Ring<TraceMessage>& traces(unsigned worker) { return *traces_[worker]; }
    [[nodiscard]] BufferPools& buffers() { return *buffers_; }

    // The reader of query records (query_record_feed.h) polls and pops these.
    [[nodiscard]] RecordRing& records(unsigned worker) { return *records_[worker]; }
    // The main thread pops these, while a capture runs: CapturedFrame.
    [[nodiscard]] CellRing& frames(unsigned worker) { return *frames_[worker]; }

    // The kernel's number of the worker's thread; 0 before it runs. Any thread.
    [[nodiscard]] pid_t worker_tid(unsigned i) const;

    // Addresses that no list claims. Any thread.
    [[nodiscard]] NeededHosts& needed_hosts() { return needed_hosts_; }

    [[nodiscard]] Sleeper& worker_sleeper(unsigned i) { return *worker_sleepers_[i]; }
    [[nodiscard]] Sleeper& routers_sleeper() { return *routers_sleeper_; }
    [[nodiscard]] Sleeper& stream_sleeper(unsigned i) { return *stream_sleepers_[i]; }

  private:
    // The NUMA node of a worker's CPU.
    [[nodiscard]] int node_of(unsigned worker) const;

    RuntimeOptions options_;
    NeededHosts needed_hosts_;
    Shared shared_;
    std::unique_ptr<ListStates> lists_;
    std::unique_ptr<BufferPools> buffers_;
    std::unique_ptr<cache::KeyHasher> hasher_;
    std::unique_ptr<RowBoard> board_;
    std::unique_ptr<cache::Cache> cache_;

    std::unique_ptr<Sleeper> routers_sleeper_;
    std::vector<std::unique_ptr<Sleeper>> worker_sleepers_, stream_sleepers_;
    std::vector<std::unique_ptr<Ring<Event>>> events_;
    std::vector<std::unique_ptr<Ring<Message>>> acknowledgements_;
    std::vector<std::unique_ptr<Ring<Note>>> notes_;
    std::vector<std::unique_ptr<RecordRing>> records_;
    std::vector<std::unique_ptr<CellRing>> frames_;
    std::vector<std::unique_ptr<Ring<TraceMessage>>> traces_;
    std::vector<std::vector<std::unique_ptr<Ring<Message>>>> to_stream_,
        from_stream_;                                                   // [stream][worker]
    std::vector<std::vector<std::unique_ptr<Ring<Message>>>> between_;  // [from][to]
    std::vector<std::unique_ptr<Worker>> workers_;
    struct Run;  // of a worker, on its lcore
    static int run_worker(void* run);
    std::vector<std::unique_ptr<Run>> runs_;
    bool running_ = false;
};

}  // namespace steer
