// Thread `recorder`: reads the workers' query records and passes them to each query_recorder.
//
// It runs only while a configuration has one (or a session watches queries). It polls the rings a
// few hundred times a second and never blocks on a disk: sinks have their own threads and bounded
// queues. Records that do not fit into a ring are counted as lost.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/observe/recorder/deciders.h"
#include "control/observe/recorder/recording.h"
#include "control/runtime/query_record_feed.h"

namespace steer::recorder {

// The meaning of numbers in records, by the present configuration.
struct RecordNames {
    std::uint32_t generation = 0;        // of the snapshot
    std::vector<std::string> upstreams;  // by Upstream::id
    std::vector<std::string> entries;    // tags, by place in Settings::entries
    std::vector<std::string> lists;      // tags of address lists, by ListId
};

class Recorder {
  public:
    // `feed` must outlive it. `warn` is called on several threads.
    Recorder(QueryRecordFeed& feed, WallClock now, Warn warn);
    ~Recorder();
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    // Called on the main thread; the recorder's thread applies it.
    void follow(std::vector<RecordingPlan> plans, RecordNames names);
    // The same, before the configuration is published: its queries may end before follow().
    void prepare(Deciders next);
    // Writes waiting records, and ends. May be called again.
    void stop();

    // Called with each query while a session watches, on the polling thread. It hides the same data
    // as a query_recorder of the query's server. Set it once, before the first follow().
    using Watcher = std::function<void(const RecordedQuery& query)>;
    void set_watcher(Watcher watcher) { watcher_ = std::move(watcher); }
    // Called on the main thread.
    void watch(bool on);

    // Waits until all queries that have ended so far are written. Not for the main thread. Returns
    // false if this takes too long.
    bool flush(std::chrono::milliseconds patience);

    struct Status {
        std::uint64_t records = 0, queries = 0,
                      lost = 0;  // records read; queries that they represent; records lost
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
    [[nodiscard]] DecidedBy decided_by(const QueryRecord& head) const;
    // Writes the tags of the lists that claimed the answer: "vpn" or "vpn, media".
    void put_lists(const QueryRecord& head, std::string& out) const;
    void wish();

    QueryRecordFeed& feed_;
    WallClock now_;
    Warn warn_;
    unsigned taker_ = 0;
    std::atomic<std::int64_t> boot_to_wall_us_{0};

    mutable std::mutex mutex_;  // protects all following members except the thread
    std::condition_variable changed_;
    std::vector<std::shared_ptr<Recording>> recordings_;
    std::vector<RecordingPlan> plans_;
    RecordNames names_;
    // By generation, the last kMaxGenerations ones; and that of generations after these.
    std::map<std::uint32_t, std::shared_ptr<const Deciders>> deciders_;
    std::shared_ptr<const Deciders> next_deciders_;
    Watcher watcher_;
    bool is_watched_ = false;
    bool has_new_plans_ = false, is_stopping_ = false;
    std::uint64_t asked_ = 0, handed_over_ = 0;  // flushes
    std::uint64_t records_ = 0, queries_ = 0, lost_ = 0;
    std::string name_, answers_, claimed_by_;
    std::thread thread_;
};

}  // namespace steer::recorder
