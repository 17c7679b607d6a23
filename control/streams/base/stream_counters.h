// The counters of a `streams` thread. Only that thread writes them, relaxed; any thread may read
// them. They are never reset.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/base/counters.h"
#include "matchers/counter_table.h"

namespace steer {

//    name, what was counted
#define STEER_STREAM_COUNTS(X)                                                        \
    X(udp_received, "datagrams received on kernel sockets")                           \
    X(udp_sent, "answers sent on kernel sockets")                                     \
    X(udp_over_budget, "datagrams dropped: the source sends too many")                \
    X(udp_bad, "datagrams dropped: too long or too short for a query")                \
    X(udp_copies, "datagrams dropped: a copying port (af_packet) also received them") \
    X(udp_not_sent, "answers that the kernel did not accept")                         \
    X(tcp_accepted, "connections accepted")                                           \
    X(tcp_over_client_limit, "connections closed: too many of one client")            \
    X(tcp_over_limit, "connections closed: too many in total")                        \
    X(tcp_limited, "connections closed: above `connections` of `limits`")             \
    X(tls_limited, "connections closed: above `handshakes` of `limits`")              \
    X(streams_limited, "queries and requests above `streams` of `limits`")            \
    X(tcp_made_room, "idle connections closed to make room")                          \
    X(tcp_over_process_limit, "connections closed: the process has no room")          \
    X(tcp_made_process_room, "idle connections closed: the process has no room")      \
    X(tcp_unread, "connections closed: what waits takes the memory of all")           \
    X(tcp_idle, "connections closed: idle")                                           \
    X(tcp_stalled, "connections closed: the client does not read")                    \
    X(tcp_malformed, "connections closed: not a DNS message")                         \
    X(tcp_queries, "queries over TCP")                                                \
    X(tcp_answers, "answers over TCP")                                                \
    X(tcp_opening_late, "connections closed: TLS handshake timed out")                \
    X(tcp_lingered, "connections closed: still open 2 s after the last answer")       \
    X(tcp_no_descriptor, "connections that waited for a free file descriptor")        \
    X(tcp_bad_proxy, "connections closed: PROXY header missing or invalid")           \
    X(tls_accepted, "TLS handshakes completed")                                       \
    X(tls_resumed, "TLS handshakes that resumed a session")                           \
    X(tls_failed, "connections closed: TLS handshake failed")                         \
    X(http_requests, "HTTP requests")                                                 \
    X(http_refused, "HTTP requests rejected: not a DNS query (4xx)")                  \
    X(http_answers, "answers over HTTP")                                              \
    X(http_unanswered, "queries over HTTP without an answer (503)")                   \
    X(http_bad_client, "HTTP requests rejected: the proxy names no client (400)")     \
    X(http_malformed, "HTTP connections or streams closed: malformed")                \
    X(http_resets, "HTTP/2 streams reset before their answer")                        \
    X(http_unread, "HTTP/2 requests rejected: the client does not read answers")      \
    X(http_floods, "HTTP/2 connections closed: flood of resets or empty frames")      \
    X(http_too_slow, "HTTP requests that timed out")                                  \
    X(inject_ring_full, "queries lost: a worker's ring is full")                      \
    X(inject_no_buffer, "queries lost: no buffer")                                    \
    X(inject_table_full, "queries lost: too many wait for workers")                   \
    X(inject_unanswered, "queries that a worker dropped")                             \
    X(inject_lost, "queries that a worker never finished")                            \
    X(answers_too_late, "answers for clients that had disconnected")                  \
    X(upstream_udp, "upstream queries over kernel UDP")                               \
    X(upstream_tcp, "upstream queries over TCP")                                      \
    X(upstream_replies, "upstream replies passed to workers")                         \
    X(upstream_unmatched, "unexpected upstream replies")                              \
    X(upstream_fragments, "upstream replies dropped: they arrived as fragments")      \
    X(upstream_icmp_errors, "ICMP errors about upstream queries, which are ignored")  \
    X(upstream_forgotten, "upstream queries over kernel UDP abandoned to make room")  \
    X(upstream_errors, "upstream queries that the network rejected")                  \
    X(upstream_no_buffer, "upstream replies lost: no buffer")                         \
    X(upstream_no_descriptor, "upstream queries without a free descriptor")           \
    X(reply_ring_full, "upstream replies lost: a worker's ring is full")              \
    X(upstream_channel, "upstream queries over persistent connections")               \
    X(upstream_again, "upstream queries sent again over connections")                 \
    X(upstream_refused, "upstream queries that the upstream did not process")         \
    X(upstream_lost, "upstream queries whose connection ended before the answer")     \
    X(upstream_connects, "connections to upstreams opened")                           \
    X(upstream_connects_failed, "connections to upstreams that failed")               \
    X(upstream_silent, "connections to upstreams closed: no reply")                   \
    X(upstream_names_found, "names of upstreams resolved")                            \
    X(upstream_names_lost, "names of upstreams that could not be resolved")

STEER_COUNTER_ENUM(StreamCount, kStreamCounts, STEER_STREAM_COUNTS);

struct alignas(64) StreamCounters {
    std::array<Count, static_cast<std::size_t>(StreamCount::count_)> counts;

    void add(StreamCount c, std::uint64_t n = 1) { counts[static_cast<std::size_t>(c)].add(n); }
    [[nodiscard]] std::uint64_t get(StreamCount c) const {
        return counts[static_cast<std::size_t>(c)].get();
    }
};

}  // namespace steer
