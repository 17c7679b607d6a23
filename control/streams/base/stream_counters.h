// The counters of a `streams` thread. Only that thread writes, relaxed; any thread may read. Never
// reset.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/base/counters.h"

namespace steer {

//    name                   label                    what was counted
#define STEER_STREAM_COUNTS(X)                                                                  \
    X(udp_received, "udp_received", "datagrams received on kernel sockets")                     \
    X(udp_sent, "udp_sent", "answers sent on kernel sockets")                                   \
    X(udp_over_budget, "udp_over_budget", "datagrams dropped: the source sends too many")       \
    X(udp_bad, "udp_bad", "datagrams dropped: too long or too short for a query")               \
    X(udp_copies, "udp_copies",                                                                 \
      "datagrams dropped: a copying port (af_packet) also received them")                       \
    X(udp_not_sent, "udp_not_sent", "answers that the kernel did not accept")                   \
    X(tcp_accepted, "tcp_accepted", "connections accepted")                                     \
    X(tcp_over_client_limit, "tcp_over_client_limit",                                           \
      "connections closed: too many of one client")                                             \
    X(tcp_over_limit, "tcp_over_limit", "connections closed: too many in total")                \
    X(tcp_made_room, "tcp_made_room", "idle connections closed to make room")                   \
    X(tcp_idle, "tcp_idle", "connections closed: idle")                                         \
    X(tcp_stalled, "tcp_stalled", "connections closed: the client does not read")               \
    X(tcp_malformed, "tcp_malformed", "connections closed: not a DNS message")                  \
    X(tcp_queries, "tcp_queries", "queries over TCP")                                           \
    X(tcp_answers, "tcp_answers", "answers over TCP")                                           \
    X(tcp_opening_late, "tcp_opening_late", "connections closed: TLS handshake timed out")      \
    X(tcp_lingered, "tcp_lingered", "connections closed: still open 2 s after the last answer") \
    X(tcp_no_descriptor, "tcp_no_descriptor",                                                   \
      "connections that waited for a free file descriptor")                                     \
    X(tcp_bad_proxy, "tcp_bad_proxy", "connections closed: PROXY header missing or invalid")    \
    X(tls_accepted, "tls_accepted", "TLS handshakes completed")                                 \
    X(tls_resumed, "tls_resumed", "TLS handshakes that resumed a session")                      \
    X(tls_failed, "tls_failed", "connections closed: TLS handshake failed")                     \
    X(http_requests, "http_requests", "HTTP requests")                                          \
    X(http_refused, "http_refused", "HTTP requests rejected: not a DNS query (4xx)")            \
    X(http_answers, "http_answers", "answers over HTTP")                                        \
    X(http_unanswered, "http_unanswered", "queries over HTTP without an answer (503)")          \
    X(http_bad_client, "http_bad_client",                                                       \
      "HTTP requests rejected: the proxy names no client (400)")                                \
    X(http_malformed, "http_malformed", "HTTP connections or streams closed: malformed")        \
    X(http_resets, "http_resets", "HTTP/2 streams reset before their answer")                   \
    X(http_unread, "http_unread", "HTTP/2 requests rejected: the client does not read answers") \
    X(http_floods, "http_floods", "HTTP/2 connections closed: flood of resets or empty frames") \
    X(http_too_slow, "http_too_slow", "HTTP requests that timed out")                           \
    X(inject_ring_full, "inject_ring_full", "queries lost: a worker's ring is full")            \
    X(inject_no_buffer, "inject_no_buffer", "queries lost: no buffer")                          \
    X(inject_table_full, "inject_table_full", "queries lost: too many wait for workers")        \
    X(inject_unanswered, "inject_unanswered", "queries that a worker dropped")                  \
    X(inject_lost, "inject_lost", "queries that a worker never finished")                       \
    X(answers_too_late, "answers_too_late", "answers for clients that had disconnected")        \
    X(upstream_udp, "upstream_udp", "upstream queries over kernel UDP")                         \
    X(upstream_tcp, "upstream_tcp", "upstream queries over TCP")                                \
    X(upstream_replies, "upstream_replies", "upstream replies passed to workers")               \
    X(upstream_unmatched, "upstream_unmatched", "unexpected upstream replies")                  \
    X(upstream_forgotten, "upstream_forgotten",                                                 \
      "upstream queries over kernel UDP abandoned to make room")                                \
    X(upstream_errors, "upstream_errors", "upstream queries that the network rejected")         \
    X(upstream_no_buffer, "upstream_no_buffer", "upstream replies lost: no buffer")             \
    X(reply_ring_full, "reply_ring_full", "upstream replies lost: a worker's ring is full")     \
    X(upstream_channel, "upstream_channel", "upstream queries over persistent connections")     \
    X(upstream_again, "upstream_again", "upstream queries repeated on a new connection")        \
    X(upstream_connects, "upstream_connects", "connections to upstreams opened")                \
    X(upstream_connects_failed, "upstream_connects_failed",                                     \
      "connections to upstreams that failed")                                                   \
    X(upstream_silent, "upstream_silent", "connections to upstreams closed: no reply")          \
    X(upstream_names_found, "upstream_names_found", "names of upstreams resolved")              \
    X(upstream_names_lost, "upstream_names_lost", "names of upstreams that could not be resolved")

enum class StreamCount : std::uint8_t { STEER_STREAM_COUNTS(STEER_ENUM) count_ };
inline constexpr std::array kStreamLabels{STEER_STREAM_COUNTS(STEER_LABEL)};
inline constexpr std::array kStreamTexts{STEER_STREAM_COUNTS(STEER_TEXT)};

struct alignas(64) StreamCounters {
    std::array<Count, static_cast<std::size_t>(StreamCount::count_)> counts;

    void add(StreamCount c, std::uint64_t n = 1) { counts[static_cast<std::size_t>(c)].add(n); }
    [[nodiscard]] std::uint64_t get(StreamCount c) const {
        return counts[static_cast<std::size_t>(c)].get();
    }
};

}  // namespace steer
