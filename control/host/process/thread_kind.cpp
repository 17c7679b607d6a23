#include "control/host/process/thread_kind.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace steer {
namespace {

using Group = std::span<const std::string_view>;

// ---- groups. Names that a CPU does not have are skipped: arm64 has no `poll`, and calls ppoll()
// instead.

constexpr std::string_view kTransfer[] = {
    "sendto",     "recvfrom",    "sendmsg",      "recvmsg",   "sendmmsg", "recvmmsg",
    "read",       "write",       "readv",        "writev",    "poll",     "ppoll",
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "select",   "pselect6",
    "close",      "lseek",       "fstat",        "fcntl"};
constexpr std::string_view kTime[] = {
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep",       "gettimeofday",
    "time",          "times",        "timerfd_settime", "timerfd_gettime", "getrusage"};
constexpr std::string_view kThread[] = {
    "futex",         "futex_waitv",       "sched_yield",  "getcpu",          "getpid",
    "gettid",        "getppid",           "getuid",       "geteuid",         "getgid",
    "getegid",       "sched_getaffinity", "rt_sigaction", "rt_sigprocmask",  "rt_sigreturn",
    "rt_sigpending", "rt_sigtimedwait",   "sigaltstack",  "restart_syscall", "set_robust_list",
    "rseq",          "membarrier",        "getrandom",    "uname",           "sysinfo",
    "exit",          "exit_group"};
constexpr std::string_view kMemory[] = {"brk", "munmap", "mremap", "madvise", "mincore"};
// Drivers of NICs recover from errors by ioctl(). stat() opens nothing.
constexpr std::string_view kDriver[] = {"ioctl", "newfstatat", "fadvise64"};

// DPDK calls epoll_create(), whenever its list of interrupts changes.
constexpr std::string_view kSockets[] = {
    "bind",          "listen",     "accept",         "accept4",     "connect",    "shutdown",
    "setsockopt",    "getsockopt", "getsockname",    "getpeername", "socketpair", "epoll_create",
    "epoll_create1", "eventfd2",   "timerfd_create", "pipe",        "pipe2",      "dup",
    "dup2",          "dup3",       "ioctl"};
constexpr std::string_view kReading[] = {
    "newfstatat", "statx",    "stat",       "lstat",      "access",   "faccessat",
    "faccessat2", "readlink", "readlinkat", "getdents64", "getcwd",   "pread64",
    "preadv",     "statfs",   "fstatfs",    "fadvise64",  "readahead"};
constexpr std::string_view kWriting[] = {
    "pwrite64",  "pwritev",         "msync",        "ftruncate", "truncate",  "fsync",
    "fdatasync", "sync_file_range", "fallocate",    "flock",     "rename",    "renameat",
    "renameat2", "unlink",          "unlinkat",     "mkdir",     "mkdirat",   "rmdir",
    "link",      "linkat",          "symlink",      "symlinkat", "chmod",     "fchmod",
    "fchmodat",  "chown",           "fchown",       "fchownat",  "utimensat", "copy_file_range",
    "sendfile",  "splice",          "memfd_create", "umask"};
// matchers/secret.h keeps passwords out of the swap.
constexpr std::string_view kSecrets[] = {"mlock", "munlock"};
// Of a program that another process started: its end.
constexpr std::string_view kChildren[] = {"wait4", "waitid", "kill", "pidfd_open",
                                          "pidfd_send_signal"};
constexpr std::string_view kNewThreads[] = {
    "setpriority",        "getpriority",    "sched_setaffinity", "sched_setscheduler",
    "sched_getscheduler", "sched_getparam", "get_robust_list"};
// DPDK's memory is NUMA-aware, and it locks what NICs write to. The watchdog ends a process that
// cannot end itself by alarm(). Rules for files of an engine are made here, and in force there.
constexpr std::string_view kControl[] = {"landlock_create_ruleset",
                                         "landlock_add_rule",
                                         "inotify_init1",
                                         "inotify_add_watch",
                                         "inotify_rm_watch",
                                         "signalfd4",
                                         "prlimit64",
                                         "getrlimit",
                                         "setrlimit",
                                         "capget",
                                         "capset",
                                         "getgroups",
                                         "getpgrp",
                                         "getpgid",
                                         "getsid",
                                         "mlock2",
                                         "mbind",
                                         "get_mempolicy",
                                         "set_mempolicy",
                                         "alarm",
                                         "setitimer",
                                         "chdir",
                                         "bpf"};
constexpr std::string_view kStarting[] = {"setuid",
                                          "setgid",
                                          "setresuid",
                                          "setresgid",
                                          "setgroups",
                                          "getresuid",
                                          "getresgid",
                                          "prctl",
                                          "execve",
                                          "execveat",
                                          "clone",
                                          "close_range",
                                          "setpgid",
                                          "setsid",
                                          "arch_prctl",
                                          "set_tid_address",
                                          "setrlimit",
                                          "getrlimit",
                                          "prlimit64",
                                          "capget",
                                          "capset",
                                          "setpriority",
                                          "sched_setaffinity",
                                          "tgkill",
                                          "kill",
                                          "seccomp",
                                          "landlock_create_ruleset",
                                          "landlock_add_rule",
                                          "landlock_restrict_self"};

constexpr Group kWorkerCalls[] = {kTransfer, kTime, kThread, kMemory, kDriver};
constexpr Group kStreamsCalls[] = {kTransfer, kTime,    kThread, kMemory,
                                   kSecrets,  kSockets, kReading};
constexpr Group kExceptionCalls[] = {kTransfer, kTime,    kThread, kMemory,
                                     kSockets,  kReading, kWriting};
// Lines go to a file or a pipe; `log.rotation` renames, removes and makes files.
constexpr std::string_view kLines[] = {"read",   "write",      "poll",       "ppoll", "close",
                                       "fstat",  "fcntl",      "newfstatat", "stat",  "lstat",
                                       "access", "getdents64", "getcwd",     "lseek"};
constexpr std::string_view kRotating[] = {"rename",   "renameat", "renameat2", "unlink",
                                          "unlinkat", "rmdir",    "fchmod",    "mkdir"};
constexpr Group kLogCalls[] = {kLines, kTime, kThread, kMemory, kRotating};
constexpr Group kRoutersCalls[] = {kTransfer, kTime,    kThread,  kMemory,   kSecrets,
                                   kSockets,  kReading, kWriting, kChildren, kNewThreads};
constexpr Group kControlCalls[] = {kTransfer, kTime,    kThread,   kMemory,     kSecrets, kSockets,
                                   kReading,  kWriting, kChildren, kNewThreads, kControl};
constexpr Group kPatternsCalls[] = {kTransfer, kTime, kThread, kMemory};
constexpr Group kSetsCalls[] = {kTransfer, kTime, kThread, kMemory, kSockets, kReading};
constexpr Group kQuicCalls[] = {kTransfer, kTime, kThread, kMemory};
// Also what the programs need that it starts, from their loading on.
constexpr Group kStarterCalls[] = {kTransfer, kTime,    kThread,   kMemory,  kSockets,
                                   kReading,  kWriting, kChildren, kStarting};

// The starter of engines can do all that they can, which inherit its filter. An engine changes
// files of its folder, but makes no links and folders there, and takes no rights away: this would
// lock the daemon out.
constexpr std::string_view kEngineSockets[] = {
    "bind",       "listen",       "accept",        "accept4",     "connect",
    "shutdown",   "setsockopt",   "getsockopt",    "getsockname", "getpeername",
    "socketpair", "epoll_create", "epoll_create1", "eventfd2",    "pipe",
    "pipe2",      "dup",          "dup2",          "dup3",        "ioctl"};
constexpr std::string_view kEngineWriting[] = {"pwrite64",  "pwritev", "ftruncate", "fsync",
                                               "fdatasync", "flock",   "rename",    "renameat",
                                               "renameat2", "unlink",  "unlinkat",  "umask"};
constexpr std::string_view kEngineLife[] = {"chdir",           "getgroups", "getpgrp",
                                            "getrlimit",       "setrlimit", "prlimit64",
                                            "set_tid_address", "arch_prctl"};
constexpr Group kRecursionCalls[] = {kTransfer, kTime,    kThread,   kMemory,   kSockets,
                                     kReading,  kWriting, kChildren, kStarting, kEngineLife};
constexpr Group kEngineCalls[] = {kTransfer, kTime,          kThread,        kMemory,
                                  kReading,  kEngineSockets, kEngineWriting, kEngineLife};
// Whether a file is a terminal; what there is to read; interfaces by name and number.
constexpr std::array<std::uint32_t, 5> kEngineRequests{TCGETS, FIONREAD, FIONBIO, SIOCGIFINDEX,
                                                       SIOCGIFNAME};

constexpr std::array kInternet{AF_INET, AF_INET6, AF_NETLINK, AF_UNIX};
constexpr std::array kPortFamilies{AF_INET, AF_INET6, AF_NETLINK, AF_UNIX, AF_PACKET, AF_XDP};
constexpr std::array kNetlink{AF_NETLINK, AF_UNIX};

}  // namespace

CallRules rules_of(ThreadKind kind) {
    using Files = CallRules::Files;
    switch (kind) {
        case ThreadKind::worker:
            // af_packet: the error of an interface that went down wakes the worker until it is read.
            return {.calls = kWorkerCalls, .families = {}, .reads_socket_errors = true};
        case ThreadKind::streams:
            return {kStreamsCalls, kInternet, Files::reading};
        case ThreadKind::routers:
            return {kRoutersCalls, kInternet, Files::all, true};
        case ThreadKind::exception:
            return {kExceptionCalls, kPortFamilies, Files::all};
        case ThreadKind::log:
            return {kLogCalls, {}, Files::all};
        case ThreadKind::control:
            return {kControlCalls, kPortFamilies, Files::all, true, true};
        case ThreadKind::patterns:
            return {kPatternsCalls, {}};
        case ThreadKind::sets:
            return {kSetsCalls, kNetlink, Files::reading};
        case ThreadKind::quic:
            return {kQuicCalls, {}};
        case ThreadKind::starter:
            return {kStarterCalls, kNetlink, Files::all, true, true};
        case ThreadKind::recursion:
            return {.calls = kRecursionCalls,
                    .families = kInternet,
                    .files = Files::all,
                    .starts_threads = true,
                    .maps_code = true,
                    .answers_calls = true};
        case ThreadKind::engine:
            return {.calls = kEngineCalls,
                    .families = kInternet,
                    .files = Files::all,
                    .starts_threads = true,
                    .maps_code = true,
                    .keeps_ports = true,
                    .usual_sockets = true,
                    .requests = kEngineRequests,
                    .executes_once = true};
    }
    return {};
}

}  // namespace steer
