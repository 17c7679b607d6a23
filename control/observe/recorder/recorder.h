// Thread `recorder`: reads the workers' query records and gives them to each query_recorder.
//
// It runs only while a configuration has one (or a session watches queries). It looks at the rings a few hundred times a
// second and never blocks on a disk: sinks have threads and bounded queues of their own. What finds no room in a ring is
// counted as lost.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/observe/recorder/recording.h"
#include "control/runtime/query_record_feed.h"

namespace steer::recorder {

// What numbers in records mean, by the configuration in force.
struct RecordNames {
    std::vector<std::string> upstreams;  // by Upstream::id
    std::vector<std::string> entries;    // tags, by place in Settings::entries
};

class Recorder {
  public:
    // `feed` outlives it. `warn` is called on several threads.
    Recorder(QueryRecordFeed& feed, WallClock now, Warn warn);
    ~Recorder();
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    // The main thread; the thread applies it.
    void follow(std::vector<RecordingPlan> plans, RecordNames names);
    // Writes what waits, and ends. Idempotent.
    void stop();

    // Called with each query while a session watches, on the polling thread. What a query_recorder of its server hides is
    // hidden here, too. Once, before the first follow().
    using Watcher = std::function<void(const RecordedQuery& query)>;
    void set_watcher(Watcher watcher) { watcher_ = std::move(watcher); }
    // The main thread.
    void watch(bool on);

    // Waits until what has ended so far is written. Not on the main thread. False: not within this time.
    bool flush(std::chrono::milliseconds patience);

    struct Status {
        std::uint64_t records = 0, queries = 0,
                      lost = 0;  // records read; what they stand for; records lost
        std::vector<Recording::Status> recordings;
    };
    // Any thread.
    [[nodiscard]] Status status() const;
    void write_metrics(ops::MetricWriter& writer) const;

  private:
    void run();
    void begin();
    void apply();
    void take(const QueryRecordView& view);
    void wish();

    QueryRecordFeed& feed_;
    WallClock now_;
    Warn warn_;
    unsigned taker_ = 0;
    std::atomic<std::int64_t> boot_to_wall_us_{0};

    mutable std::mutex mutex_;  // of all below, but not the thread
    std::condition_variable changed_;
    std::vector<std::shared_ptr<Recording>> recordings_;
    std::vector<RecordingPlan> plans_;
    RecordNames names_;
    Watcher watcher_;
    bool is_watched_ = false;
    bool has_new_plans_ = false, is_stopping_ = false;
    std::uint64_t asked_ = 0, handed_over_ = 0;  // flushes
    std::uint64_t records_ = 0, queries_ = 0, lost_ = 0;
    std::string name_, answers_;
    std::thread thread_;
};

}  // namespace steer::recorder
