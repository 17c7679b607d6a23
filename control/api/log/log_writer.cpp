#include "control/api/log/log_writer.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "control/host/process/call_filters.h"

namespace steer::ops {
namespace {

using namespace std::chrono_literals;

// Of the end: for what the queue still has when the readers' time is over.
constexpr auto kGivingUp = 100ms;
constexpr const char* kNoRoom = "its reader was too slow, or had stopped";

}  // namespace

struct LogWriter::State {
    State() = default;

    const std::shared_ptr<LogPatience> patience = std::make_shared<LogPatience>();
    std::atomic<std::uint64_t> lost{0};
    std::atomic<LogPatience::Clock::rep> writes_since{0};  // 0: no write is under way

    mutable std::mutex mutex;  // for the members up to the next comment
    std::condition_variable changed;
    LogQueue queue;
    std::deque<spdlog::sink_ptr> outputs;  // that come with changes_output
    bool has_output = false;
    bool ends = false, has_ended = false;
    std::uint64_t pushed = 0, done = 0;  // lines and changes of the output

    // Of the thread alone.
    spdlog::sink_ptr output;
    std::uint64_t unsaid = 0;  // lost lines that the output does not know of
    std::string why;           // the last of them was lost

    void write(const LogQueue::Line& line);
    void lose(std::uint64_t lines, const char* reason);
    [[nodiscard]] bool say_lost(spdlog::log_clock::time_point time);
    [[nodiscard]] bool put(spdlog::log_clock::time_point time, spdlog::level::level_enum level,
                           std::string_view text);
    void change_output();
};

// ---- the thread

bool LogWriter::State::put(spdlog::log_clock::time_point time, spdlog::level::level_enum level,
                           std::string_view text) {
    writes_since.store(LogPatience::Clock::now().time_since_epoch().count(),
                       std::memory_order_relaxed);
    try {
        output->log(spdlog::details::log_msg(time, {}, {}, level, {text.data(), text.size()}));
        writes_since.store(0, std::memory_order_relaxed);
        return true;
    } catch (const std::exception& error) {
        writes_since.store(0, std::memory_order_relaxed);
        why = error.what();
        return false;
    }
}

void LogWriter::State::lose(std::uint64_t lines, const char* reason) {
    unsaid += lines;
    if (reason != nullptr) why = reason;
}

bool LogWriter::State::say_lost(spdlog::log_clock::time_point time) {
    if (unsaid == 0) return true;
    const std::string text = "the log lost " + std::to_string(unsaid) + " lines here: " + why +
                             "; look at what reads or stores it";
    if (!put(time, spdlog::level::warn, text)) return false;
    unsaid = 0;
    return true;
}

void LogWriter::State::write(const LogQueue::Line& line) {
    if (line.lost_before > 0) lose(line.lost_before, kNoRoom);
    if (line.changes_output) return change_output();
    if (output == nullptr) return;
    const bool is_given_up = unsaid > 0 && patience->is_over();
    if (!is_given_up && say_lost(line.time) && put(line.time, line.level, line.text)) return;
    lose(1, nullptr);
    lost.fetch_add(1, std::memory_order_relaxed);
}

void LogWriter::State::change_output() {
    if (output != nullptr) (void)say_lost(spdlog::log_clock::now());
    unsaid = 0;  // of the earlier output
    const std::scoped_lock lock(mutex);
    output = std::move(outputs.front());
    outputs.pop_front();
    if (!ends && outputs.empty()) patience->lift();
}

void LogWriter::run(State& state) {
    std::unique_lock lock(state.mutex);
    for (;;) {
        state.changed.wait(lock, [&] { return state.ends || !state.queue.is_empty(); });
        auto batch = state.queue.take();
        if (!batch) break;
        // Lost behind the last line; a line that comes after take() begins a chunk of its own.
        const std::uint64_t lost = state.queue.is_empty() ? state.queue.take_lost() : 0;
        lock.unlock();
        std::uint64_t done = 0;
        batch->for_each([&](const LogQueue::Line& line) {
            state.write(line);
            ++done;
        });
        if (lost > 0) state.lose(lost, kNoRoom);
        if (state.output != nullptr) (void)state.say_lost(spdlog::log_clock::now());
        lock.lock();
        state.queue.release(std::move(*batch));
        state.done += done;
        state.changed.notify_all();
    }
    state.has_ended = true;
    state.changed.notify_all();
}

// ---- the others

LogWriter::LogWriter(std::string name, const char* thread)
    : name_(std::move(name)), state_(std::make_shared<State>()) {
    std::thread([state = state_, thread] {
        pthread_setname_np(pthread_self(), thread);
        be_of_kind(ThreadKind::log);
        run(*state);
    }).detach();
}

LogWriter::~LogWriter() {
    end(LogPatience::Clock::now() + kSwitchPatience);
}

std::shared_ptr<LogPatience> LogWriter::patience() const {
    return state_->patience;
}

void LogWriter::push(const spdlog::details::log_msg& message, LineKind kind) {
    const std::string_view text(message.payload.data(), message.payload.size());
    {
        const std::scoped_lock lock(state_->mutex);
        if (!state_->has_output) return;
        if (state_->ends || !state_->queue.push({message.time, message.level, text}, kind)) {
            state_->lost.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        ++state_->pushed;
    }
    state_->changed.notify_all();
}

void LogWriter::set_output(spdlog::sink_ptr output) {
    {
        const std::scoped_lock lock(state_->mutex);
        if (output == nullptr && !state_->has_output) return;
        state_->queue.push_change_of_output();
        state_->patience->limit(LogPatience::Clock::now() + kSwitchPatience);
        state_->has_output = output != nullptr;
        state_->outputs.push_back(std::move(output));
        ++state_->pushed;
    }
    state_->changed.notify_all();
}

bool LogWriter::flush(std::chrono::milliseconds patience) {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, patience,
                                    [this, mine = state_->pushed] { return state_->done >= mine; });
}

void LogWriter::end(LogPatience::Clock::time_point end) {
    std::unique_lock lock(state_->mutex);
    if (std::exchange(state_->ends, true)) return;
    state_->patience->limit(end - kGivingUp);
    state_->changed.notify_all();
    (void)state_->changed.wait_until(lock, end, [this] { return state_->has_ended; });
}

LogReport LogWriter::report() const {
    LogReport report{.name = name_, .lost = state_->lost.load(std::memory_order_relaxed)};
    if (const auto since = state_->writes_since.load(std::memory_order_relaxed); since != 0)
        report.blocked = std::chrono::duration_cast<std::chrono::milliseconds>(
            LogPatience::Clock::now() -
            LogPatience::Clock::time_point(LogPatience::Clock::duration(since)));
    const std::scoped_lock lock(state_->mutex);
    report.waiting = state_->pushed - state_->done;
    return report;
}

}  // namespace steer::ops
