// One reckoning of file descriptors and memory: what the daemon keeps for itself, and what is left
// for connections of clients over all servers. A start, a reload and `--check` use the same.
//
// The daemon keeps what it has open when it begins to serve, and room for sockets to upstreams,
// fetches of lists, sessions of routers, of the control socket and of the page, and for files of a
// reload. If the rest is too small for `max_connections` of all servers, it is in force instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "control/config/settings.h"
#include "control/program/build/build.h"
#include "control/streams/base/client_budget.h"
#include "control/streams/base/stream_context.h"

namespace steer {

struct ConnectionNeeds {
    std::uint64_t at_start = 0;  // descriptors that are open before the first client, estimated
    std::uint64_t later = 0;     // descriptors of our own, opened later, but not to upstreams
    bool has_page = false, has_metrics = false;
    unsigned threads = 1;              // `stream_threads`
    std::uint64_t pools = 0;           // upstreams with connections
    std::uint64_t pooled = 0;          // sum of their `max_conns`, per thread
    std::uint64_t connections = 0;     // sum of `max_connections` of all servers over TCP
    std::uint64_t standing_bytes = 0;  // memory of so many idle connections
};
[[nodiscard]] ConnectionNeeds connection_needs(const config::Settings& settings,
                                               const build::Channels& channels);

struct ConnectionPlan {
    std::uint64_t files = 0, memory_bytes = 0;  // limits of the process
    std::uint64_t kept_files = 0;               // for the daemon itself
    std::uint64_t wanted = 0;                   // connections
    std::uint64_t enough_files = 0;             // enough_files() of the needs
    // Connections in force; no value: as many as wanted.
    std::optional<std::uint64_t> by_files, by_memory;
    stream::ClientLimits clients;
    stream::UpstreamSocketLimits upstreams;
};
// `files`: the hard limit of RLIMIT_NOFILE. `memory_bytes`: of the machine or the control group; 0:
// unknown, then it limits nothing.
[[nodiscard]] ConnectionPlan plan_connections(const ConnectionNeeds& needs, std::uint64_t files,
                                              std::uint64_t memory_bytes);

// A limit of descriptors that is enough for `max_connections`.
[[nodiscard]] std::uint64_t enough_files(const ConnectionNeeds& needs);

// Sentences with both numbers, and what to do; empty: there is enough.
[[nodiscard]] std::string lack_of_files(const ConnectionPlan& plan);
[[nodiscard]] std::string lack_of_memory(const ConnectionPlan& plan);

}  // namespace steer
