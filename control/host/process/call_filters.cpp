#include "control/host/process/call_filters.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "control/host/process/call_filter.h"
#include "control/host/process/file_rules.h"
#include "control/host/process/reported_call.h"
#include "control/host/process/system_calls.h"

namespace steer {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif
#else
constexpr bool kIsSanitized = false;
#endif

constexpr std::size_t kMaxFilters = 256;    // threads that filter themselves
constexpr std::size_t kCallNumbers = 1024;  // numbers from here on are counted as the last one
constexpr auto kPatience = 2s;
constexpr auto kSignalPatience = 500ms;
constexpr auto kPollEvery = 1ms;

// A real-time signal; stack_trace.cpp has the one before.
int filter_signal() {
    return SIGRTMIN + 4;
}

// The two programs of a kind, made before they are needed: a signal handler uses them. Denied calls
// are reported to the thread that answers, or fail at once.
struct Programs {
    std::vector<sock_filter> reported, refused;
};

// A filter whose denied calls this process answers.
struct Filter {
    std::atomic<int> listener{-1};
    std::atomic<ThreadKind> kind{ThreadKind::control};
};

struct State {
    std::atomic<bool> is_on{false};
    CallFilterMode mode = CallFilterMode::off;
    std::array<Programs, kThreadKindCount> programs;
    std::vector<sock_filter> answering;  // of the thread that answers
    std::array<Filter, kMaxFilters> filters;
    std::atomic<std::size_t> filter_count{0};
    std::array<std::atomic<pid_t>, kMaxFilters> threads{};  // that have a filter of their own
    std::atomic<std::size_t> thread_count{0};
    std::atomic<unsigned> expected{0};   // threads of expect_filtered() that have no filter yet
    std::atomic<unsigned> signalled{0};  // threads that handled the signal
    int outer_filters = -1;              // of every thread, by a container; -1: not known
    int wake = -1;                       // an eventfd: there is a new filter
    std::array<std::array<std::atomic<std::uint64_t>, kCallNumbers>, kThreadKindCount> denied{};
};
// Never destroyed: threads outlive main().
State& state() {
    static State& one = *new State;
    return one;
}

std::uint32_t refusal(CallFilterMode mode) {
    return mode == CallFilterMode::log ? SECCOMP_RET_LOG : SECCOMP_RET_ERRNO | EPERM;
}

// Filters the calling thread. In a signal handler, too.
void filter_here(State& all, ThreadKind kind) {
    const Programs& programs = all.programs[static_cast<std::size_t>(kind)];
    const long listener = install_filter(programs.reported, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    if (listener < 0) {
        // EBUSY: an outer filter reports to another process.
        (void)install_filter(programs.refused, SECCOMP_FILTER_FLAG_LOG);
    } else if (const std::size_t at = all.filter_count.fetch_add(1); at < kMaxFilters) {
        all.filters[at].kind.store(kind, std::memory_order_relaxed);
        all.filters[at].listener.store(static_cast<int>(listener), std::memory_order_release);
        const std::uint64_t one = 1;
        (void)!::write(all.wake, &one, sizeof one);
    } else {
        ::close(static_cast<int>(listener));  // denied calls fail with ENOSYS
    }
    if (const std::size_t at = all.thread_count.fetch_add(1); at < kMaxFilters)
        all.threads[at].store(static_cast<pid_t>(::syscall(SYS_gettid)), std::memory_order_release);
}

// Of a thread that filters itself no earlier than filter_rest().
thread_local ThreadKind kind_of_thread = ThreadKind::control;

void on_signal(int) {
    const int before = errno;
    State& all = state();
    restrict_this_thread();
    filter_here(all, kind_of_thread);
    all.signalled.fetch_add(1);
    errno = before;
}

// ---- the thread that answers

// Answers one denied call of a filter.
void answer(State& all, int listener, ThreadKind kind, ReportedCall& call) {
    if (!call.receive(listener)) return;
    (void)(all.mode == CallFilterMode::log ? call.let_pass(listener)
                                           : call.refuse(listener, EPERM));
    const auto number = std::min(static_cast<std::size_t>(call.number()), kCallNumbers - 1);
    all.denied[static_cast<std::size_t>(kind)][number].fetch_add(1, std::memory_order_relaxed);
}

// No lock, no heap, no log: the thread whose call waits may have any lock of this process.
void answer_denied_calls() {
    State& all = state();
    (void)::prctl(PR_SET_NAME, "denials", 0, 0, 0);
    (void)install_filter(all.answering, SECCOMP_FILTER_FLAG_LOG);
    ReportedCall call;
    std::array<pollfd, kMaxFilters + 1> descriptors{};
    for (;;) {
        const std::size_t count = std::min(all.filter_count.load(), kMaxFilters);
        descriptors[0] = {all.wake, POLLIN, 0};
        for (std::size_t i = 0; i < count; ++i)
            descriptors[i + 1] = {all.filters[i].listener.load(std::memory_order_acquire), POLLIN,
                                  0};
        if (::poll(descriptors.data(), count + 1, -1) < 0) continue;
        if ((descriptors[0].revents & POLLIN) != 0) {
            std::uint64_t wakes = 0;
            (void)!::read(all.wake, &wakes, sizeof wakes);
        }
        for (std::size_t i = 0; i < count; ++i) {
            const auto events = descriptors[i + 1].revents;
            if ((events & POLLIN) != 0) {
                answer(all, descriptors[i + 1].fd, all.filters[i].kind.load(), call);
            } else if (events != 0) {  // its last thread has ended
                all.filters[i].listener.store(-1);
                ::close(descriptors[i + 1].fd);
            }
        }
    }
}

// ---- the threads without a filter

// How many filters the thread has; -1: the kernel does not say (before Linux 5.9).
int filters_of(pid_t tid) {
    std::ifstream file("/proc/self/task/" + std::to_string(tid) + "/status");
    constexpr std::string_view kKey = "Seccomp_filters:";
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(kKey)) return std::atoi(line.c_str() + kKey.size());
    }
    return -1;
}

// Threads without a filter of their own, and without one of the thread that started them.
std::vector<pid_t> unfiltered_threads(const State& all) {
    std::vector<pid_t> found;
    DIR* const tasks = ::opendir("/proc/self/task");
    if (tasks == nullptr) return found;
    while (const dirent* const entry = ::readdir(tasks)) {
        const auto tid = static_cast<pid_t>(std::atoi(entry->d_name));
        if (tid == 0) continue;
        const std::size_t count = std::min(all.thread_count.load(), kMaxFilters);
        const auto end = all.threads.begin() + static_cast<std::ptrdiff_t>(count);
        if (std::find_if(all.threads.begin(), end,
                         [tid](const auto& one) {
                             return one.load(std::memory_order_acquire) == tid;
                         }) == end &&
            (all.outer_filters < 0 || filters_of(tid) <= all.outer_filters))
            found.push_back(tid);
    }
    ::closedir(tasks);
    return found;
}

std::string name_of(pid_t tid) {
    std::ifstream file("/proc/self/task/" + std::to_string(tid) + "/comm");
    std::string name;
    std::getline(file, name);
    return name;
}

// Filters another thread by a signal, whose handler runs there. True if the thread has ended, too.
// False: it handles no signals.
bool filter_other(State& all, pid_t tid) {
    const unsigned before = all.signalled.load();
    if (::syscall(SYS_tgkill, ::getpid(), tid, filter_signal()) != 0) return errno == ESRCH;
    const auto until = std::chrono::steady_clock::now() + kSignalPatience;
    while (all.signalled.load() == before && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(kPollEvery);
    return all.signalled.load() != before;
}

bool kernel_can(unsigned action) {
    return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

}  // namespace

std::string begin_call_filters(CallFilterMode mode) {
    State& all = state();
    all.mode = mode;
    if (mode == CallFilterMode::off) return {};
    if (kIsSanitized) return "this is a build with a sanitizer";
    if (!kernel_can(SECCOMP_RET_ERRNO)) return "the kernel has no seccomp filters";
    const bool reports = can_report_calls();
    all.outer_filters = filters_of(static_cast<pid_t>(::syscall(SYS_gettid)));
    all.wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (all.wake < 0) return std::string("no event descriptor: ") + std::strerror(errno);
    for (std::size_t i = 0; i < kThreadKindCount; ++i) {
        const CallRules rules = rules_of(static_cast<ThreadKind>(i));
        all.programs[i].refused = filter_program(rules, refusal(mode));
        all.programs[i].reported =
            filter_program(rules, reports ? SECCOMP_RET_USER_NOTIF : refusal(mode));
    }
    CallRules answers = rules_of(ThreadKind::worker);
    answers.answers_calls = true;
    all.answering = filter_program(answers, refusal(mode));
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    (void)::sigaction(filter_signal(), &action, nullptr);
    try {
        std::thread answering([&all] {
            all.threads[all.thread_count.fetch_add(1)].store(::gettid(), std::memory_order_release);
            answer_denied_calls();
        });
        while (all.thread_count.load() == 0)
            std::this_thread::sleep_for(kPollEvery);
        answering.detach();
    } catch (const std::system_error& error) {
        return "no thread can be started: " + error.code().message();
    }
    all.is_on.store(true, std::memory_order_release);
    return {};
}

void expect_filtered(unsigned threads) {
    state().expected.fetch_add(threads);
}

void filter_this_thread(ThreadKind kind) {
    State& all = state();
    if (all.is_on.load(std::memory_order_acquire)) {
        if (kind == ThreadKind::worker) restrict_this_thread();  // older than the rules
        filter_here(all, kind);
    }
    all.expected.fetch_sub(1);
}

void be_of_kind(ThreadKind kind) {
    kind_of_thread = kind;
    State& all = state();
    if (all.is_on.load(std::memory_order_acquire)) filter_here(all, kind);
}

std::vector<std::string> filter_rest() {
    State& all = state();
    std::vector<std::string> left;
    if (!all.is_on.load()) return left;
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (all.expected.load() != 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(kPollEvery);
    filter_here(all, ThreadKind::control);
    for (const pid_t tid : unfiltered_threads(all)) {
        const std::string name = name_of(tid);
        if (!filter_other(all, tid)) left.push_back(name);
    }
    return left;
}

bool filter_this_process(ThreadKind kind) {
    if (kIsSanitized) return false;
    return install_filter(filter_program(rules_of(kind), SECCOMP_RET_ERRNO | EPERM),
                          SECCOMP_FILTER_FLAG_LOG) == 0;
}

std::vector<DeniedCall> denied_calls() {
    const State& all = state();
    std::vector<DeniedCall> found;
    for (std::size_t kind = 0; kind < kThreadKindCount; ++kind) {
        for (std::size_t call = 0; call < kCallNumbers; ++call) {
            const auto count = all.denied[kind][call].load(std::memory_order_relaxed);
            if (count == 0) continue;
            found.push_back(
                {static_cast<ThreadKind>(kind), name_of_call(static_cast<int>(call)), count});
        }
    }
    return found;
}

}  // namespace steer
