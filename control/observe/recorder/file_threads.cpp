#include "control/observe/recorder/file_threads.h"

#include <pthread.h>

#include <algorithm>
#include <mutex>

#include "control/host/process/background.h"
#include "control/host/process/helper_work.h"
#include "control/observe/recorder/json_line.h"

namespace steer::recorder {
namespace {

using namespace std::chrono_literals;

constexpr auto kTurn = 200ms;
constexpr auto kLockedPause = 100ms;
constexpr int kLockedAttempts = 600;  // a minute; the queue is full long before

}  // namespace

template <class Batch>
FileThread<Batch>::FileThread(const char* name, std::size_t most_waiting)
    : name_(name), queue_(most_waiting) {}

template <class Batch>
void FileThread<Batch>::begin() {
    thread_ = std::thread([this] { run(); });
}

template <class Batch>
void FileThread<Batch>::end() {
    queue_.close();
    if (thread_.joinable()) thread_.join();
}

template <class Batch>
bool FileThread<Batch>::push(Batch&& batch, std::size_t weight, std::uint64_t queries) {
    if (queue_.push(std::move(batch), weight)) return true;
    dropped_.fetch_add(queries, std::memory_order_relaxed);
    return false;
}

template <class Batch>
bool FileThread<Batch>::flush(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    const std::uint64_t mine = ++asked_;
    queue_.wake();
    return flushed_.wait_for(lock, patience, [&] { return done_ >= mine; });
}

template <class Batch>
SinkStatus FileThread<Batch>::status() const {
    const std::scoped_lock lock(mutex_);
    SinkStatus status = status_;
    status.dropped = dropped_.load(std::memory_order_relaxed);
    return status;
}

template <class Batch>
void FileThread<Batch>::set_status(SinkStatus status) {
    const std::scoped_lock lock(mutex_);
    status_ = std::move(status);
}

template <class Batch>
void FileThread<Batch>::run() {
    pthread_setname_np(pthread_self(), name_);
    run_in_background();
    const HelperWork watched(name_);  // it checks its queue several times a second
    for (;;) {
        std::uint64_t asked = 0;
        {
            const std::scoped_lock lock(mutex_);
            asked = asked_;
        }
        auto item = queue_.pop(asked > done_ ? 0ms : kTurn);
        if (item) {
            write(item->batch);
        } else if (asked > done_ || queue_.is_closed()) {
            flush_rest();
        }
        poll();
        if (item) continue;
        {
            const std::scoped_lock lock(mutex_);
            done_ = std::max(done_, asked);
        }
        flushed_.notify_all();
        if (queue_.is_closed() && queue_.is_empty()) return;
    }
}

template class FileThread<RowBatch>;
template class FileThread<TextBatch>;

DatabaseThread::DatabaseThread(const config::QueryRecorder& settings, WallClock now, Warn warn)
    : FileThread("recorder-db", settings.queue_size),
      path_(settings.path),
      now_(std::move(now)),
      database_(settings, std::move(warn)) {
    set_status({.kind = "database", .place = path_});
    begin();
}

void DatabaseThread::write(RowBatch& batch) {
    for (int attempt = 0;; ++attempt) {
        const auto wrote = database_.write(batch, now_());
        if (wrote == Database::Wrote::yes) return;
        if (wrote == Database::Wrote::lost || is_ending() || attempt == kLockedAttempts) break;
        poll();
        std::this_thread::sleep_for(kLockedPause);
    }
    failed_ += batch.size();
}

void DatabaseThread::flush_rest() {
    (void)database_.flush_sums(now_());
}

void DatabaseThread::poll() {
    database_.tidy(now_());
    set_status({.kind = "database",
                .place = path_,
                .written = database_.written(),
                .failed = failed_,
                .bytes = database_.bytes(),
                .error = database_.error(),
                .is_well = database_.error().empty()});
}

JsonThread::JsonThread(const config::RecorderJson& settings, Lines lines, WallClock now, Warn warn)
    : FileThread(lines == Lines::hits ? "recorder-hits" : "recorder-json", kMostWaiting),
      path_(settings.file),
      lines_(lines),
      now_(std::move(now)),
      file_(settings, std::move(warn)) {
    report();
    begin();
}

JsonThread::Missing JsonThread::missing() const {
    if (lines_ != Lines::hits) return {};
    return {dropped() + file_.lost(), lost_queries_.load(std::memory_order_relaxed)};
}

// Before the text, a line about what is missing, until the file has it.
void JsonThread::put(std::string_view text, std::uint64_t lines) {
    const std::int64_t now = now_();
    const Missing all = missing();
    if (all != reported_) {
        std::string gap;
        append_gap(now, all.lines - reported_.lines, all.queries - reported_.queries, gap);
        file_.write(gap, 0, now);
        if (file_.error().empty()) reported_ = all;
    }
    if (!text.empty()) file_.write(text, lines, now);
}

void JsonThread::write(TextBatch& batch) {
    put(batch.text, batch.lines);
}

void JsonThread::poll() {
    if (missing() != reported_) put({}, 0);
    report();
}

void JsonThread::report() {
    set_status({.kind = lines_ == Lines::hits ? "hit_log" : "json",
                .place = path_,
                .written = file_.written(),
                .failed = file_.lost(),
                .bytes = file_.size(),
                .error = file_.error(),
                .is_well = file_.error().empty()});
}

}  // namespace steer::recorder
