// The counters of a thread of steerdns-quic. The process reports how much each has grown; the
// daemon adds that to its own, which are never reset.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "control/config/settings/server_protocol.h"
#include "dataplane/base/counters.h"
#include "matchers/counter_table.h"

namespace steer::quic {

//    name, what was counted
#define STEER_QUIC_COUNTS(X)                                                                       \
    X(datagrams_received, "datagrams received")                                                    \
    X(datagrams_sent, "datagrams sent")                                                            \
    X(datagrams_bad, "datagrams dropped: not QUIC, or too short for a first packet")               \
    X(datagrams_unknown, "datagrams dropped: of no connection")                                    \
    X(datagrams_not_sent, "datagrams that the kernel did not accept")                              \
    X(versions_offered, "datagrams of other versions, answered with ours (RFC 9000 6)")            \
    X(retries_sent, "first packets answered with Retry, because many handshakes are open")         \
    X(tokens_bad, "first packets with a token that is not ours, or too old")                       \
    X(resets_sent, "stateless resets sent: for connections that are gone")                         \
    X(accepted, "connections begun")                                                               \
    X(handshakes, "connections that began to serve")                                               \
    X(handshakes_resumed, "connections that began to serve with a resumed session")                \
    X(early, "connections with queries beside their handshake (0-RTT)")                            \
    X(handshakes_failed, "connections closed: the handshake failed or took too long")              \
    X(over_limit, "connections refused: too many are open")                                        \
    X(over_client_limit, "connections closed: too many of one client")                             \
    X(made_room, "idle connections closed to make room")                                           \
    X(over_connection_memory, "connections ended: more memory than one may have")                  \
    X(over_process_memory, "connections closed: they held most when the memory was used")          \
    X(no_memory, "connections refused: the memory was used")                                       \
    X(limited, "connections closed: above `connections` or `handshakes` of `limits`")              \
    X(idle, "connections ended: idle")                                                             \
    X(protocol_errors, "connections closed: the client broke the rules of QUIC or DNS on it")      \
    X(stalled, "connections closed: the client does not read its answers")                         \
    X(floods,                                                                                      \
      "connections closed: too many resets or malformed requests, or bytes without a request")     \
    X(resets_received, "streams reset by clients before their answer")                             \
    X(too_slow, "connections closed: a query was not complete in time")                            \
    X(migrations, "connections that moved to another address")                                     \
    X(http_requests, "requests of HTTP/3 received")                                                \
    X(http_refused, "requests of HTTP/3 answered with an error, or reset as malformed")            \
    X(queries, "queries received")                                                                 \
    X(answers, "answers passed to clients")                                                        \
    X(unanswered, "queries that got no answer")                                                    \
    X(answers_too_late, "answers for streams that were gone")                                      \
    X(upstreams_begun, "connections to upstreams begun")                                           \
    X(upstreams_connected, "full handshakes with upstreams completed")                             \
    X(upstreams_resumed, "handshakes with upstreams that resumed a session")                       \
    X(upstreams_early, "connections to upstreams used before their handshake ends (0-RTT)")        \
    X(upstreams_early_refused, "connections whose early data (0-RTT) the upstream did not accept") \
    X(upstreams_failed, "handshakes with upstreams that failed")                                   \
    X(upstreams_closed, "connections to upstreams that ended, except those closed here")           \
    X(upstream_queries, "queries passed to upstreams")                                             \
    X(upstream_answers, "answers of upstreams")                                                    \
    X(upstream_unanswered, "queries that ended without an answer of their upstream")               \
    X(channel_full, "messages lost: the other process does not read fast enough")

STEER_COUNTER_ENUM(QuicCount, kQuicCounts, STEER_QUIC_COUNTS);
inline constexpr std::size_t kQuicCountSize = static_cast<std::size_t>(QuicCount::count_);

// Connections that are open now, by config::ServerProtocol.
using OpenConnections =
    std::array<std::uint32_t, static_cast<std::size_t>(config::ServerProtocol::count_)>;

struct alignas(64) QuicCounters {
    std::array<Count, kQuicCountSize> counts;

    void add(QuicCount c, std::uint64_t n = 1) { counts[static_cast<std::size_t>(c)].add(n); }
    [[nodiscard]] std::uint64_t get(QuicCount c) const {
        return counts[static_cast<std::size_t>(c)].get();
    }
};

}  // namespace steer::quic
