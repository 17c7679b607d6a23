// Threads that write batches to a database, or to a file of JSON lines. A slow or locked disk
// delays only them. Batches that do not fit into their queue are dropped and counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "control/config/settings/recorder_settings.h"
#include "control/observe/recorder/batch_queue.h"
#include "control/observe/recorder/database.h"
#include "control/observe/recorder/rotating_file.h"
#include "control/observe/recorder/row_batch.h"

namespace steer::recorder {

// A sink's report: in `recorder.status`, and as metrics.
struct SinkStatus {
    std::string kind, place;    // "database", "json", "dnstap"; a path or an address
    std::uint64_t written = 0;  // queries; for dnstap messages
    std::uint64_t dropped = 0;  // because the queue was full
    std::uint64_t failed = 0;   // could not be written or sent
    std::uint64_t bytes = 0;    // of the file; 0: none
    std::string error;          // empty: none
    bool is_well = true;
};

using WallClock = std::function<std::int64_t()>;  // microseconds since 1970
using Warn = std::function<void(const std::string&)>;

struct TextBatch {
    std::string text;
    std::uint64_t lines = 0;
};

// The work of both threads: write batches, in order, until the end.
template <class Batch>
class FileThread {
  public:
    FileThread(const char* name, std::size_t most_waiting);
    virtual ~FileThread() = default;  // the last class calls end()
    FileThread(const FileThread&) = delete;
    FileThread& operator=(const FileThread&) = delete;

    // Returns false if the queue is full; `queries` are then counted as dropped.
    bool push(Batch&& batch, std::size_t weight, std::uint64_t queries);
    // Waits until all earlier batches and the sums are written. Returns false if this takes too
    // long.
    bool flush(std::chrono::milliseconds patience);
    [[nodiscard]] SinkStatus status() const;

  protected:
    [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
    void begin();
    // Writes waiting batches, and ends the thread.
    void end();
    [[nodiscard]] bool is_ending() const { return queue_.is_closed(); }
    void set_status(SinkStatus status);

    virtual void write(Batch& batch) = 0;
    virtual void flush_rest() = 0;  // also before the thread ends
    virtual void poll() = 0;        // after each batch, and a few times a second

  private:
    void run();

    const char* name_;
    BatchQueue<Batch> queue_;
    std::atomic<std::uint64_t> dropped_{0};
    mutable std::mutex mutex_;
    std::condition_variable flushed_;
    std::uint64_t asked_ = 0, done_ = 0;  // flushes; protected by the mutex
    SinkStatus status_;                   // the same
    std::thread thread_;
};

class DatabaseThread final : public FileThread<RowBatch> {
  public:
    DatabaseThread(const config::QueryRecorder& settings, WallClock now, Warn warn);
    ~DatabaseThread() override { end(); }

  private:
    void write(RowBatch& batch) override;
    void flush_rest() override;
    void poll() override;

    const std::string path_;
    WallClock now_;
    Database database_;
    std::uint64_t failed_ = 0;
};

class JsonThread final : public FileThread<TextBatch> {
  public:
    static constexpr std::size_t kMostWaiting = std::size_t{32} << 20;  // bytes
    // `hits`: the hit log, which also gets a line about each gap in it.
    enum class Lines : std::uint8_t { queries, hits };
    JsonThread(const config::RecorderJson& settings, Lines lines, WallClock now, Warn warn);
    ~JsonThread() override { end(); }

    // Queries are lost that might have been lines. Any thread.
    void note_lost(std::uint64_t queries) {
        lost_queries_.fetch_add(queries, std::memory_order_relaxed);
    }

  private:
    struct Missing {
        std::uint64_t lines = 0, queries = 0;
        bool operator==(const Missing&) const = default;
    };
    void write(TextBatch& batch) override;
    void flush_rest() override {}
    void poll() override;
    void report();
    [[nodiscard]] Missing missing() const;
    void put(std::string_view text, std::uint64_t lines);

    const std::string path_;
    const Lines lines_;
    WallClock now_;
    RotatingFile file_;
    std::atomic<std::uint64_t> lost_queries_{0};
    Missing reported_;  // in the file
};

}  // namespace steer::recorder
