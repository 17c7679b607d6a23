// Threads of each kind try what their filters deny, and do what they need. Each case is in a
// process of its own, because a filter stays.
#define BOOST_TEST_MODULE confinement
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "control/host/process/call_filter.h"
#include "control/host/process/call_filters.h"
#include "control/host/process/file_rules.h"
#include "control/host/process/rights.h"
#include "control/host/process/system_calls.h"
#include "control/host/process/thread_kind.h"
#include "dataplane/port/descriptor.h"
#include "support/temp_folder.h"

using steer::CallFilterMode;
using steer::DeniedCall;
using steer::Descriptor;
using steer::FileRules;
using steer::ThreadKind;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kFilters = false;
#else
constexpr bool kFilters = true;
#endif

boost::test_tools::assertion_result filters_are_on(boost::unit_test::test_unit_id) {
    return kFilters;
}
boost::test_tools::assertion_result has_landlock(boost::unit_test::test_unit_id) {
    return kFilters && FileRules::kernel_version() > 0;
}

// Whether `f` returns true in a process of its own. It may use neither Boost.Test nor the heap of
// other threads.
template <class F>
bool in_process(const F& f) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        steer::harden_process();
        ::_exit(f() ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    int status = 0;
    BOOST_REQUIRE_EQUAL(::waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

// ---- what a thread can try; true: it was done

bool opens(const char* path, int flags) {
    return Descriptor(::open(path, flags | O_CLOEXEC, 0600)).get() >= 0;
}
bool reads_file() {
    return opens("/etc/passwd", O_RDONLY);
}
bool writes_file() {
    constexpr const char* kFile = "/tmp/steerdns-confinement";
    const bool done = opens(kFile, O_WRONLY | O_CREAT);
    if (done) ::unlink(kFile);
    return done;
}
bool has_socket(int family, int type) {
    return Descriptor(::socket(family, type | SOCK_CLOEXEC, 0)).get() >= 0;
}
bool opens_inet() {
    return has_socket(AF_INET, SOCK_DGRAM);
}
bool opens_packet() {
    return has_socket(AF_PACKET, SOCK_DGRAM);
}
bool executes() {
    // A file that is not there: a call that is done fails with ENOENT.
    std::array<char*, 1> none{};
    ::execve("/nowhere/program", none.data(), none.data());
    return errno == ENOENT;
}
bool executes_file() {
    std::array<char*, 1> none{};
    ::syscall(SYS_execveat, -1, "/nowhere/program", none.data(), none.data(), 0);
    return errno == ENOENT;
}
bool forks() {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    if (pid > 0) ::waitpid(pid, nullptr, 0);
    return pid > 0;
}
bool starts_thread() {
    try {
        std::thread([] {}).join();
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}
bool maps(int protection) {
    void* const at = ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return false;
    ::munmap(at, 4096);
    return true;
}
bool maps_memory() {
    return maps(PROT_READ | PROT_WRITE);
}
bool maps_code() {
    return maps(PROT_READ | PROT_EXEC);
}
bool maps_writable_code() {
    return maps(PROT_READ | PROT_WRITE | PROT_EXEC);
}
bool makes_code() {
    void* const at =
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const bool done = ::mprotect(at, 4096, PROT_READ | PROT_EXEC) == 0;
    ::munmap(at, 4096);
    return done;
}
bool traces() {
    return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0;
}
bool mounts() {
    return ::mount("none", "/nowhere", "tmpfs", 0, nullptr) == 0 || errno == ENOENT;
}
bool leaves_namespace() {
    return ::syscall(SYS_unshare, CLONE_FS) == 0;
}
bool loads_program() {
    bpf_attr nothing{};
    return ::syscall(SYS_bpf, BPF_PROG_LOAD, &nothing, sizeof nothing) == 0 || errno != EPERM;
}
// Without a descriptor: a call that is done fails with EBADF.
bool answers_calls() {
    std::array<std::byte, 256> reply{};
    return ::ioctl(-1, SECCOMP_IOCTL_NOTIF_SEND, reply.data()) == 0 || errno == EBADF;
}
bool types_into_terminal() {
    char letter = 'x';
    return ::ioctl(-1, TIOCSTI, &letter) == 0 || errno == EBADF;
}
bool controls_device() {
    int count = 0;
    return ::ioctl(-1, FIONREAD, &count) == 0 || errno == EBADF;
}
bool signals_others() {
    // Signal 0 only asks whether it may.
    return ::syscall(SYS_tgkill, ::getppid(), ::getppid(), 0) == 0;
}
bool kills_others() {
    return ::kill(::getppid(), 0) == 0;
}
bool signals_itself() {
    return ::syscall(SYS_tgkill, ::getpid(), ::gettid(), 0) == 0;
}
bool becomes_root() {
    return ::syscall(SYS_setuid, 0) == 0;
}
bool becomes_dumpable() {
    return ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}
bool removes_file() {
    return ::unlink("/nowhere/file") == 0 || errno == ENOENT;
}
bool watches_files() {
    return Descriptor(::inotify_init1(IN_CLOEXEC)).get() >= 0;
}
bool polls() {
    pollfd none{-1, POLLIN, 0};
    return ::poll(&none, 1, 1) == 0;
}

// (What the C library calls.)
#ifdef SYS_unlink
constexpr const char* kUnlink = "unlink";
#else
constexpr const char* kUnlink = "unlinkat";
#endif

struct Attempt {
    bool (*tries)();
    const char* call;
    std::array<bool, 6> is_done;  // worker, streams, routers, exception, log, control
};

constexpr ThreadKind kKinds[] = {ThreadKind::worker,    ThreadKind::streams, ThreadKind::routers,
                                 ThreadKind::exception, ThreadKind::log,     ThreadKind::control};

constexpr Attempt kAttempts[] = {
    {reads_file, "openat", {false, true, true, true, true, true}},
    {writes_file, "openat", {false, false, true, true, true, true}},
    {removes_file, kUnlink, {false, false, true, true, true, true}},
    {opens_inet, "socket", {false, true, true, true, false, true}},
    {opens_packet, "socket", {false, false, false, true, false, true}},
    {executes, "execve", {false, false, false, false, false, false}},
    {executes_file, "execveat", {false, false, false, false, false, false}},
    {forks, "clone", {false, false, false, false, false, false}},
    {starts_thread, "clone", {false, false, true, false, false, true}},
    {maps_memory, "mmap", {true, true, true, true, true, true}},
    {maps_code, "mmap", {false, false, false, false, false, true}},
    {maps_writable_code, "mmap", {false, false, false, false, false, false}},
    {makes_code, "mprotect", {false, false, false, false, false, false}},
    {traces, "ptrace", {false, false, false, false, false, false}},
    {mounts, "mount", {false, false, false, false, false, false}},
    {leaves_namespace, "unshare", {false, false, false, false, false, false}},
    {loads_program, "bpf", {false, false, false, false, false, false}},
    {answers_calls, "ioctl", {false, false, false, false, false, false}},
    {types_into_terminal, "ioctl", {false, false, false, false, false, false}},
    {controls_device, "ioctl", {true, true, true, true, false, true}},
    {signals_others, "tgkill", {false, false, false, false, false, false}},
    {signals_itself, "tgkill", {true, true, true, true, true, true}},
    {becomes_root, "setuid", {false, false, false, false, false, false}},
    {becomes_dumpable, "prctl", {false, false, false, false, false, false}},
    {watches_files, "inotify_init1", {false, false, false, false, false, true}},
    {polls, "poll", {true, true, true, true, true, true}},
};

std::uint64_t denied(ThreadKind kind, const std::string& call) {
    const auto all = steer::denied_calls();
    const auto found = std::ranges::find_if(
        all, [&](const DeniedCall& one) { return one.kind == kind && one.call == call; });
    return found == all.end() ? 0 : found->count;
}

// The report comes after the answer.
bool becomes(ThreadKind kind, const std::string& call, std::uint64_t count) {
    for (int i = 0; i < 2'000 && denied(kind, call) != count; ++i)
        ::poll(nullptr, 0, 1);
    return denied(kind, call) == count;
}

std::string complaint(std::size_t kind, const Attempt& attempt, const char* what) {
    return std::string(row_of(kKinds[kind]).label) + ": " + attempt.call + " " + what + "\n";
}

// Writes what is wrong to standard error.
bool is_as_expected(std::size_t kind) {
    bool good = true;
    for (const Attempt& attempt : kAttempts) {
        const std::uint64_t before = denied(kKinds[kind], attempt.call);
        bool is_done = false;
        steer::filtered_thread(kKinds[kind], [&] { is_done = attempt.tries(); }).join();
        if (is_done != attempt.is_done[kind]) {
            std::cerr << complaint(kind, attempt, is_done ? "was done" : "was denied");
            good = false;
        }
        if (!becomes(kKinds[kind], attempt.call, before + (attempt.is_done[kind] ? 0 : 1))) {
            std::cerr << complaint(kind, attempt, "is not counted so");
            good = false;
        }
    }
    return good;
}

// "Seccomp", "Seccomp_filters" of a thread.
std::string fact_of(pid_t tid, const std::string& name) {
    std::ifstream file("/proc/self/task/" + std::to_string(tid) + "/status");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
    }
    return {};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(system_calls)

BOOST_AUTO_TEST_CASE(a_call_has_a_name_and_a_number) {
    BOOST_TEST(steer::number_of_call("openat") == SYS_openat);
    BOOST_TEST(steer::name_of_call(SYS_execve) == "execve");
    BOOST_TEST(steer::number_of_call("no_such_call") == -1);
    BOOST_TEST(steer::name_of_call(100'000) == "call 100000");
    BOOST_TEST(steer::last_known_call() >= SYS_landlock_restrict_self);
}

BOOST_AUTO_TEST_CASE(a_filter_fits_the_kernel_and_names_calls_that_exist) {
    for (std::size_t i = 0; i < steer::kThreadKindCount; ++i) {
        const auto rules = steer::rules_of(static_cast<ThreadKind>(i));
        BOOST_TEST(steer::filter_program(rules, 0).size() < 1000U);
#ifdef __x86_64__
        for (const auto group : rules.calls) {
            for (const std::string_view name : group)
                BOOST_TEST(steer::number_of_call(name) >= 0, name);
        }
#endif
    }
}

BOOST_AUTO_TEST_CASE(each_kind_is_denied_what_it_does_not_need_and_the_call_is_counted_by_name,
                     *boost::unit_test::precondition(filters_are_on)) {
    for (std::size_t kind = 0; kind < std::size(kKinds); ++kind) {
        BOOST_TEST(in_process([kind] {
                       return steer::begin_call_filters(CallFilterMode::on).empty() &&
                              is_as_expected(kind);
                   }),
                   row_of(kKinds[kind]).label);
    }
}

// The log's thread: it begins before the filters, and its reader may have stopped.
BOOST_AUTO_TEST_CASE(a_thread_that_waits_in_a_write_gets_the_filter_of_its_kind,
                     *boost::unit_test::precondition(filters_are_on)) {
    BOOST_TEST(in_process([] {
        std::array<int, 2> pipe{};
        if (::pipe(pipe.data()) != 0) return false;
        std::atomic<pid_t> tid = 0;
        bool opens = true, is_whole = false;
        std::thread writer([&] {
            steer::be_of_kind(ThreadKind::log);
            tid = ::gettid();
            const std::vector<char> lines(1 << 20, 'x');
            std::size_t written = 0;  // the signal ends a call that has written a part
            for (ssize_t n = 1; n > 0 && written < lines.size();) {
                n = ::write(pipe[1], lines.data() + written, lines.size() - written);
                written += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
            }
            is_whole = written == lines.size();
            ::close(pipe[1]);
            opens = opens_inet();
        });
        int waiting = 0, before = -1;
        while (tid == 0 || waiting == 0 || waiting != before) {  // until the pipe is full
            before = waiting;
            ::poll(nullptr, 0, 20);
            ::ioctl(pipe[0], FIONREAD, &waiting);
        }
        steer::begin_call_filters(CallFilterMode::on);
        const bool all = steer::filter_rest().empty();
        const std::string mode = fact_of(tid, "Seccomp");
        std::vector<char> room(1 << 16);
        while (::read(pipe[0], room.data(), room.size()) > 0) {
        }
        writer.join();
        return all && mode == "2" && is_whole && !opens && becomes(ThreadKind::log, "socket", 1);
    }));
}

// An interface that went down leaves an error at its socket.
BOOST_AUTO_TEST_CASE(a_worker_reads_the_error_of_a_socket_and_no_other_option,
                     *boost::unit_test::precondition(filters_are_on)) {
    BOOST_TEST(in_process([] {
        if (!steer::filter_this_process(ThreadKind::worker)) return false;
        const auto reads = [](int level, int option) {
            int found = 0;
            socklen_t size = sizeof found;
            // Not a socket: a call that is allowed says so.
            return ::getsockopt(STDIN_FILENO, level, option, &found, &size) == 0 || errno != EPERM;
        };
        return reads(SOL_SOCKET, SO_ERROR) && !reads(SOL_SOCKET, SO_TYPE) &&
               !reads(SOL_SOCKET, SO_PEERCRED) && !reads(IPPROTO_IP, SO_ERROR);
    }));
}

// Else another user could bind the port of an engine, too, and answer in its place.
BOOST_AUTO_TEST_CASE(an_engine_shares_its_ports_with_no_other_user,
                     *boost::unit_test::precondition(filters_are_on)) {
    BOOST_TEST(in_process([] {
        if (!steer::filter_this_process(ThreadKind::engine)) return false;
        const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        const auto is_set = [&socket](int option) {
            const int on = 1;
            int found = 0;
            socklen_t size = sizeof found;
            return ::setsockopt(socket.get(), SOL_SOCKET, option, &on, sizeof on) == 0 &&
                   ::getsockopt(socket.get(), SOL_SOCKET, option, &found, &size) == 0 && found != 0;
        };
        return !is_set(SO_REUSEADDR) && is_set(SO_REUSEPORT) && is_set(SO_BROADCAST);
    }));
}

BOOST_AUTO_TEST_CASE(a_trial_does_what_would_be_denied_and_counts_it,
                     *boost::unit_test::precondition(filters_are_on)) {
    BOOST_TEST(in_process([] {
        bool is_done = false;
        steer::begin_call_filters(CallFilterMode::log);
        steer::filtered_thread(ThreadKind::worker, [&] { is_done = reads_file(); }).join();
        return is_done && becomes(ThreadKind::worker, "openat", 1);
    }));
}

BOOST_AUTO_TEST_CASE(filters_that_are_off_deny_nothing) {
    BOOST_TEST(in_process([] {
        bool is_done = false;
        steer::begin_call_filters(CallFilterMode::off);
        steer::filtered_thread(ThreadKind::worker, [&] { is_done = reads_file(); }).join();
        return is_done && steer::filter_rest().empty() && forks();
    }));
}

BOOST_AUTO_TEST_CASE(threads_that_filter_nothing_themselves_get_the_filter_of_control,
                     *boost::unit_test::precondition(filters_are_on)) {
    BOOST_TEST(in_process([] {
        std::atomic<bool> ends = false, execs = true, late_execs = true;
        std::atomic<pid_t> tid = 0;
        std::thread early([&] {
            tid = ::gettid();
            while (!ends)
                ::poll(nullptr, 0, 1);
            execs = executes();
        });
        while (tid == 0)
            ::poll(nullptr, 0, 1);
        steer::begin_call_filters(CallFilterMode::on);
        const bool all = steer::filter_rest().empty();
        const std::string mode = fact_of(tid, "Seccomp");
        ends = true;
        early.join();
        std::thread([&] { late_execs = executes(); }).join();
        return all && mode == "2" && !execs && !late_execs && !forks() &&
               becomes(ThreadKind::control, "execve", 2);
    }));
}

BOOST_AUTO_TEST_CASE(a_thread_of_a_filtered_thread_keeps_its_filter_and_nothing_is_counted,
                     *boost::unit_test::precondition(filters_are_on)) {
    BOOST_TEST(in_process([] {
        std::atomic<bool> ends = false, has_begun = false, opens_wire = true;
        steer::begin_call_filters(CallFilterMode::on);
        std::thread inner;
        steer::filtered_thread(ThreadKind::routers, [&] {
            inner = std::thread([&] {
                has_begun = true;
                while (!ends)
                    ::poll(nullptr, 0, 1);
                opens_wire = opens_packet();
            });
        }).join();
        while (!has_begun)
            ::poll(nullptr, 0, 1);
        const bool all = steer::filter_rest().empty() && steer::denied_calls().empty();
        ends = true;
        inner.join();
        return all && !opens_wire && becomes(ThreadKind::routers, "socket", 1);
    }));
}

BOOST_AUTO_TEST_CASE(a_thread_that_blocks_signals_is_named,
                     *boost::unit_test::precondition(filters_are_on)) {
    BOOST_TEST(in_process([] {
        std::atomic<bool> ends = false, began = false;
        std::thread deaf([&] {
            sigset_t all;
            ::sigfillset(&all);
            ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
            ::pthread_setname_np(::pthread_self(), "deaf");
            began = true;
            while (!ends)
                ::poll(nullptr, 0, 1);
        });
        while (!began)
            ::poll(nullptr, 0, 1);
        steer::begin_call_filters(CallFilterMode::on);
        const auto left = steer::filter_rest();
        ends = true;
        deaf.join();
        return left == std::vector<std::string>{"deaf"};
    }));
}

// As in a container whose engine follows the calls of its processes.
BOOST_AUTO_TEST_CASE(under_another_listener_calls_are_denied_without_a_report,
                     *boost::unit_test::precondition(filters_are_on)) {
    BOOST_TEST(in_process([] {
        const auto everything =
            steer::filter_program(steer::rules_of(ThreadKind::starter), SECCOMP_RET_ALLOW);
        const sock_fprog program{static_cast<unsigned short>(everything.size()),
                                 const_cast<sock_filter*>(everything.data())};
        if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                      &program) < 0)
            return false;
        bool reads = true, works = false;
        steer::begin_call_filters(CallFilterMode::on);
        steer::filtered_thread(ThreadKind::worker, [&] {
            reads = reads_file();
            works = polls() && maps_memory();
        }).join();
        return !reads && works && steer::denied_calls().empty();
    }));
}

BOOST_AUTO_TEST_CASE(the_pattern_compiler_opens_and_starts_nothing,
                     *boost::unit_test::precondition(filters_are_on)) {
    BOOST_TEST(in_process([] {
        return steer::filter_this_process(ThreadKind::patterns) && maps_memory() && polls() &&
               !reads_file() && !writes_file() && !opens_inet() && !executes() && !forks() &&
               !starts_thread() && !makes_code() && !traces();
    }));
}

BOOST_AUTO_TEST_CASE(the_process_of_the_sets_has_netlink_and_reads_files,
                     *boost::unit_test::precondition(filters_are_on)) {
    BOOST_TEST(in_process([] {
        return steer::filter_this_process(ThreadKind::sets) && reads_file() &&
               has_socket(AF_NETLINK, SOCK_RAW) && !writes_file() && !opens_inet() && !executes() &&
               !forks() && !starts_thread() && !traces();
    }));
}

// As steerdns-quic after it has begun, if a client could execute code there.
BOOST_AUTO_TEST_CASE(the_process_of_quic_uses_the_sockets_that_it_has_and_nothing_else,
                     *boost::unit_test::precondition(filters_are_on)) {
    BOOST_TEST(in_process([] {
        const Descriptor given(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sockaddr_in local{};
        local.sin_family = AF_INET;
        local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof local;
        auto* const at = reinterpret_cast<sockaddr*>(&local);
        if (::bind(given.get(), at, size) != 0 || ::getsockname(given.get(), at, &size) != 0 ||
            !steer::filter_this_process(ThreadKind::quic))
            return false;

        char byte = 'x';
        const bool works = ::sendto(given.get(), &byte, 1, 0, at, size) == 1 &&
                           ::recv(given.get(), &byte, 1, 0) == 1 && maps_memory() && polls() &&
                           signals_itself();
        const rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
        std::array<int, 2> pair{};
        bool is_denied = true;
        const auto denies = [&is_denied](bool is_done, const char* what) {
            if (is_done) std::cerr << "quic: " << what << " was done\n";
            is_denied = is_denied && !is_done;
        };
        for (const Attempt& attempt : kAttempts) {
            // It may do no more than a worker.
            if (!attempt.is_done[0]) denies(attempt.tries(), attempt.call);
        }
        denies(kills_others(), "kill of another");
        for (const int family : {AF_INET6, AF_UNIX, AF_NETLINK})
            denies(has_socket(family, SOCK_DGRAM), "socket");
        denies(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) == 0, "socketpair");
        denies(::connect(given.get(), at, size) == 0, "connect");
        denies(::bind(given.get(), at, size) == 0 || errno != EPERM, "bind");
        denies(::setsockopt(given.get(), SOL_SOCKET, SO_MARK, &size, sizeof size) == 0 ||
                   errno != EPERM,
               "setsockopt");
        denies(::setrlimit(RLIMIT_DATA, &limit) == 0, "setrlimit");
        denies(::syscall(SYS_memfd_create, "x", 0) >= 0, "memfd_create");
        denies(::syscall(SYS_pidfd_open, ::getppid(), 0) >= 0, "pidfd_open");
        denies(::syscall(SYS_process_vm_readv, ::getppid(), nullptr, 0, nullptr, 0, 0) >= 0 ||
                   errno != EPERM,
               "process_vm_readv");
        denies(::syscall(SYS_io_uring_setup, 1, nullptr) >= 0 || errno != EPERM, "io_uring_setup");
        return works && is_denied;
    }));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(files, *boost::unit_test::precondition(has_landlock))

BOOST_AUTO_TEST_CASE(only_named_folders_can_be_read_and_written) {
    const steer::test::TempFolder folder;
    for (const char* const name : {"read/list", "written/state", "other/key"})
        folder.write(name, "text");
    BOOST_TEST(in_process([&] {
        FileRules rules;
        rules.allow(folder / "read", FileRules::Use::read);
        rules.allow_folder_of(folder / "written/state", FileRules::Use::write);
        rules.allow(folder / "nowhere", FileRules::Use::write);
        if (!steer::enforce_file_rules(rules)) return false;
        const auto can = [&](const char* name, int flags) {
            return opens((folder / name).c_str(), flags);
        };
        return can("read/list", O_RDONLY) && !can("read/list", O_WRONLY) &&
               !can("read/new", O_WRONLY | O_CREAT) && can("written/state", O_RDWR) &&
               can("written/new", O_WRONLY | O_CREAT) && !can("other/key", O_RDONLY) &&
               ::rename((folder / "written/new").c_str(), (folder / "written/state").c_str()) ==
                   0 &&
               ::unlink((folder / "read/list").c_str()) != 0 &&
               steer::file_rules_cover(folder / "read/later", FileRules::Use::read) &&
               !steer::file_rules_cover(folder / "read/later", FileRules::Use::write) &&
               steer::file_rules_cover(folder / "written/a/b", FileRules::Use::write) &&
               !steer::file_rules_cover(folder / "other/key", FileRules::Use::read);
    }));
}

BOOST_AUTO_TEST_CASE(a_link_is_followed_to_its_folder) {
    const steer::test::TempFolder folder;
    folder.write("target/list", "text");
    folder.write("links/other", "text");
    BOOST_REQUIRE_EQUAL(::symlink("../target/list", (folder / "links/list").c_str()), 0);
    BOOST_TEST(in_process([&] {
        FileRules rules;
        rules.allow_folder_of(folder / "links/list", FileRules::Use::read);
        return steer::enforce_file_rules(rules) &&
               opens((folder / "links/list").c_str(), O_RDONLY) &&
               opens((folder / "links/other").c_str(), O_RDONLY);
    }));
}

BOOST_AUTO_TEST_CASE(the_folder_of_a_missing_file_is_the_nearest_one_but_not_the_root) {
    const steer::test::TempFolder folder;
    FileRules rules;
    rules.allow_folder_of(folder / "a/b/c", FileRules::Use::write);
    BOOST_TEST(rules.covers(folder / "other", FileRules::Use::write));
    FileRules none;
    none.allow_folder_of("/nowhere/file", FileRules::Use::write);
    BOOST_TEST(!none.covers("/nowhere/file", FileRules::Use::read));
}

BOOST_AUTO_TEST_CASE(a_thread_that_began_earlier_takes_the_rules_over) {
    const steer::test::TempFolder folder;
    folder.write("key", "text");
    BOOST_TEST(in_process([&] {
        std::atomic<int> step = 0;
        bool before = false, after = true;
        const auto reads = [&] { return opens((folder / "key").c_str(), O_RDONLY); };
        std::thread early([&] {
            while (step != 1)
                ::poll(nullptr, 0, 1);
            before = reads();
            steer::restrict_this_thread();
            after = reads();
        });
        if (!steer::enforce_file_rules(FileRules())) ::_exit(EXIT_FAILURE);
        step = 1;
        early.join();
        bool late = true;
        std::thread([&] { late = reads(); }).join();
        return before && !after && !late;
    }));
}

BOOST_AUTO_TEST_CASE(no_program_can_be_executed) {
    BOOST_TEST(in_process([] {
        FileRules rules;
        rules.allow("/", FileRules::Use::write);
        if (!steer::enforce_file_rules(rules)) return false;
        std::array<char*, 1> none{};
        ::execve("/bin/true", none.data(), none.data());
        return errno == EACCES;
    }));
}

BOOST_AUTO_TEST_SUITE_END()
