// The kinds of threads and processes, and the system calls that each may use.
//
// A call that is not named here fails with EPERM (call_filters.h). New threads and programs inherit
// the filter of the thread that starts them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace steer {

//  name        label         what runs so
#define STEER_THREAD_KINDS(X)                                                           \
    X(worker, "worker", "workers: no files, no new sockets, no threads, no programs")   \
    X(streams, "streams", "threads `streams`: sockets; files for reading only")         \
    X(routers, "routers", "thread `routers`: sockets and files")                        \
    X(exception, "exception", "thread `exception`: its devices")                        \
    X(log, "log", "threads `log` and `log-file`: the log's files, no sockets")          \
    X(control, "control", "`main`, and every thread that is no other kind")             \
    X(patterns, "patterns", "the pattern compiler: memory, and the pipe to the daemon") \
    X(sets, "sets", "`steerdns-sets`: netlink; files for reading only")                 \
    X(quic, "quic", "`steerdns-quic`: memory, and the sockets that it was given")       \
    X(starter, "starter", "the starter: executes the other programs")                   \
    X(recursion, "recursion", "the starter of recursion engines")                       \
    X(engine, "engine", "recursion engines and their check: no processes, no programs")

enum class ThreadKind : std::uint8_t {
#define STEER_KIND_NAME(name, label, text) name,
    STEER_THREAD_KINDS(STEER_KIND_NAME)
#undef STEER_KIND_NAME
};

struct ThreadKindRow {
    std::string_view label, text;
};
inline constexpr ThreadKindRow kThreadKinds[] = {
#define STEER_KIND_ROW(name, label, text) {label, text},
    STEER_THREAD_KINDS(STEER_KIND_ROW)
#undef STEER_KIND_ROW
};
inline constexpr std::size_t kThreadKindCount = sizeof kThreadKinds / sizeof *kThreadKinds;

constexpr const ThreadKindRow& row_of(ThreadKind kind) {
    return kThreadKinds[static_cast<std::size_t>(kind)];
}

// What a kind may do.
struct CallRules {
    enum class Files : std::uint8_t { none, reading, all };

    std::span<const std::span<const std::string_view>> calls;  // groups of names
    std::span<const int> families;  // of new sockets; none: no new sockets
    Files files = Files::none;
    bool starts_threads = false;
    bool maps_code = false;            // executable memory, never writable at the same time
    bool answers_calls = false;        // it may answer reported calls of others
    bool reads_socket_errors = false;  // getsockopt(SO_ERROR), and no other option
    // SO_REUSEADDR has no effect, so that no other user can bind its UDP ports beside it.
    bool keeps_ports = false;
    bool usual_sockets = false;  // TCP, UDP and Unix; netlink for links and addresses alone
    std::span<const std::uint32_t> requests{};  // of ioctl(); none: all but the dangerous ones
    // The execve() that a listener lets pass, and no other (program_filter.h).
    bool executes_once = false;
};

CallRules rules_of(ThreadKind kind);

}  // namespace steer
