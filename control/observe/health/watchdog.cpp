#include "control/observe/health/watchdog.h"

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

#include "control/api/log/log.h"
#include "control/host/process/last_words.h"
#include "control/host/process/service_manager.h"
#include "control/host/process/stack_trace.h"
#include "control/observe/health/thread_pulses.h"

namespace steer {
namespace {

using namespace std::chrono_literals;

constexpr auto kCheckEvery = 250ms;
constexpr std::uint64_t kNudgeEveryMs = 500;
constexpr auto kStackPatience = 500ms;
constexpr auto kLogPatience = 1s;
constexpr unsigned kEndPatienceS = 2;  // then SIGALRM ends the process, wherever this hangs

// /proc/self/task/TID/schedstat: time on a CPU, time in a run queue.
struct CpuTimes {
    std::uint64_t ran_ns = 0, waited_ms = 0;
};
CpuTimes cpu_times(pid_t tid) {
    std::ifstream file("/proc/self/task/" + std::to_string(tid) + "/schedstat");
    std::uint64_t ran_ns = 0, waited_ns = 0;
    file >> ran_ns >> waited_ns;
    return file ? CpuTimes{ran_ns, waited_ns / 1'000'000} : CpuTimes{};
}

// A debugger holds it, or follows it.
bool is_traced(pid_t tid) {
    std::ifstream file("/proc/self/task/" + std::to_string(tid) + "/status");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("TracerPid:"))
            return line.substr(10).find_first_of("123456789") != std::string::npos;
    }
    return false;
}

// The stuck thread may hold the log's lock, or the log's reader may have stopped.
void log_within(std::chrono::milliseconds patience, spdlog::level::level_enum level,
                const std::vector<std::string>& lines) {
    const auto done = std::make_shared<std::atomic<bool>>(false);
    std::thread([lines, level, patience, done] {
        for (const std::string& line : lines)
            spdlog::log(level, "{}", line);
        done->store(ops::flush_log(patience));
    }).detach();
    for (auto left = patience; left > 0ms && !done->load(); left -= 10ms)
        std::this_thread::sleep_for(10ms);
    if (done->load()) return;
    for (const std::string& line : lines)
        (void)write_if_room(STDERR_FILENO, line + "\n");
}

// The stuck thread may also hold the heap's lock, so that no line can be made. Then this is all that is reported.
std::array<char, 160> last_words;

void end_at_once(int) {
    // Another process can fill the pipe after poll(): then the second alarm ends this one.
    struct sigaction action {};
    action.sa_handler = [](int) { std::abort(); };
    action.sa_flags = SA_NODEFER;
    (void)::sigaction(SIGALRM, &action, nullptr);
    sigset_t alarms;
    ::sigemptyset(&alarms);
    ::sigaddset(&alarms, SIGALRM);
    (void)::pthread_sigmask(SIG_UNBLOCK, &alarms, nullptr);
    ::alarm(1);
    (void)write_if_room(STDERR_FILENO,
                        {last_words.data(), ::strnlen(last_words.data(), last_words.size())});
    write_frames(STDERR_FILENO);
    std::abort();
}

[[noreturn]] void end_process(const std::string& name, pid_t tid, std::uint64_t still_ms) {
    std::snprintf(last_words.data(), last_words.size(),
                  "ending: %s has been stuck for %u s; the log could not be written\n",
                  name.c_str(), static_cast<unsigned>(still_ms / 1000));
    (void)std::signal(SIGALRM, end_at_once);
    ::alarm(kEndPatienceS);
    ops::expect_last_lines();
    std::vector<std::string> lines{
        "ending: " + name + " has been stuck for " + std::to_string(still_ms / 1000) +
        " s; the service manager starts steerdnsd again; report the stack trace that follows"};
    const std::string head = "stack of " + name + ": ";
    for (const std::string& frame : stack_of(tid, kStackPatience))
        lines.push_back(head + frame);
    log_within(kLogPatience, spdlog::level::err, lines);
    std::abort();
}

}  // namespace

struct Watchdog::State {
    explicit State(std::size_t threads) : pulses(threads) {}
    ThreadPulses pulses;
    HelperWatch helpers;
    std::uint64_t since_nudge_ms = kNudgeEveryMs;
    // Of systemd's watchdog; 0: it has none.
    std::uint64_t notify_every_ms = 0, since_notified_ms = 0;
};

Watchdog::Watchdog(std::vector<Watched> threads)
    : watched_(std::move(threads)),
      still_ms_(std::make_unique<std::atomic<std::uint64_t>[]>(watched_.size())),
      state_(std::make_unique<State>(watched_.size())) {}

Watchdog::~Watchdog() {
    stop();
}

void Watchdog::start() {
    prepare_stack_traces();
    std::uint64_t usec = 0;
    if (::sd_watchdog_enabled(0, &usec) > 0)
        state_->notify_every_ms = state_->since_notified_ms =
            std::max<std::uint64_t>(usec / 4'000, 1);
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "watchdog");
}

void Watchdog::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        ends_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

void Watchdog::run() {
    auto before = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kCheckEvery, [this] { return ends_; })) {
        lock.unlock();
        const auto now = std::chrono::steady_clock::now();
        check(static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(now - before).count()));
        before = now;
        lock.lock();
    }
}

void Watchdog::check(std::uint64_t passed_ms) {
    State& state = *state_;
    bool all_well = true;
    for (std::size_t i = 0; i < watched_.size(); ++i) {
        const Watched& thread = watched_[i];
        const pid_t tid = thread.tid();
        if (tid == 0) continue;
        const std::uint64_t beat = thread.beat();
        const std::uint64_t still_ms =
            state.pulses.see(i, {beat, cpu_times(tid).waited_ms}, passed_ms);
        still_ms_[i].store(still_ms, std::memory_order_relaxed);
        if (still_ms < kPatienceMs || is_traced(tid)) continue;
        all_well = false;
        if (still_ms >= kEndMs) end_process(thread.name, tid, still_ms);
    }
    tell_systemd(passed_ms, all_well);
    state.since_nudge_ms += passed_ms;
    if (state.since_nudge_ms < kNudgeEveryMs) return;
    check_helpers(std::exchange(state.since_nudge_ms, 0));
    for (const Watched& thread : watched_) {
        if (thread.nudge) thread.nudge();
    }
}

void Watchdog::check_helpers(std::uint64_t passed_ms) {
    const auto sight = [](const HelperWork::Running& work) {
        const CpuTimes times = cpu_times(work.tid);
        return HelperWatch::Sight{work, times.ran_ns, times.waited_ms};
    };
    std::vector<HelperWatch::Sight> seen;
    for (const HelperWork::Running& work : HelperWork::running())
        seen.push_back(sight(work));
    for (const HelperWork::Running& work : state_->helpers.check(seen, passed_ms)) {
        std::vector<std::string> lines;
        const std::string head = "stack of helper " + work.name + ": ";
        for (const std::string& frame : stack_of(work.tid, kStackPatience))
            lines.push_back(head + frame);
        log_within(kLogPatience, spdlog::level::warn, lines);
        state_->helpers.stack_was_taken(sight(work));
    }
    const std::lock_guard lock(mutex_);
    stuck_helpers_ = state_->helpers.stuck();
}

std::vector<HelperWatch::Stuck> Watchdog::stuck_helpers() const {
    const std::lock_guard lock(mutex_);
    return stuck_helpers_;
}

void Watchdog::tell_systemd(std::uint64_t passed_ms, bool all_well) {
    State& state = *state_;
    state.since_notified_ms += passed_ms;
    if (state.notify_every_ms == 0 || !all_well || state.since_notified_ms < state.notify_every_ms)
        return;
    state.since_notified_ms = 0;
    notify_service_manager("WATCHDOG=1");
}

std::vector<Watchdog::Pulse> Watchdog::pulses() const {
    std::vector<Pulse> all;
    for (std::size_t i = 0; i < watched_.size(); ++i)
        all.push_back({watched_[i].name, still_ms_[i].load(std::memory_order_relaxed)});
    return all;
}

std::string Watchdog::error(std::string_view name) const {
    std::string text;
    for (const Pulse& pulse : pulses()) {
        if (!pulse.name.starts_with(name) || pulse.still_ms < kPatienceMs) continue;
        text += (text.empty() ? "" : ", ") + pulse.name + " has been stuck for " +
                std::to_string(pulse.still_ms / 1000) + " s";
    }
    return text;
}

}  // namespace steer
