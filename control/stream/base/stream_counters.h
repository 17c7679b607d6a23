// The counters of a `streams` thread. Only that thread writes, relaxed; any thread may read. Never
// reset.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/base/counters.h"

namespace steer {

//    name                   label                    what was counted
#define STEER_STREAM_COUNTS(X)                                                                   \
    X(udp_received, "udp_received", "datagrams that came by kernel sockets")                     \
    X(udp_sent, "udp_sent", "answers sent by kernel sockets")                                    \
    X(udp_over_budget, "udp_over_budget", "datagrams of sources that sent too many")             \
    X(udp_bad, "udp_bad", "datagrams too long or too short to be a query")                       \
    X(udp_copies, "udp_copies", "datagrams that a copying port (af_packet) has seen, too")       \
    X(udp_not_sent, "udp_not_sent", "answers that the kernel did not take")                      \
    X(tcp_accepted, "tcp_accepted", "connections accepted")                                      \
    X(tcp_over_client_limit, "tcp_over_client_limit", "connections closed: client has too many") \
    X(tcp_over_limit, "tcp_over_limit", "connections closed: too many in all")                   \
    X(tcp_made_room, "tcp_made_room", "idle connections closed for new ones")                    \
    X(tcp_idle, "tcp_idle", "connections closed: idle")                                          \
    X(tcp_stalled, "tcp_stalled", "connections closed: client does not read")                    \
    X(tcp_malformed, "tcp_malformed", "connections closed: no DNS message in it")                \
    X(tcp_queries, "tcp_queries", "queries over TCP")                                            \
    X(tcp_answers, "tcp_answers", "answers over TCP")                                            \
    X(tcp_opening_late, "tcp_opening_late", "connections closed: no TLS handshake in time")      \
    X(tcp_lingered, "tcp_lingered", "connections closed: still open 2 s after our last byte")    \
    X(tcp_no_descriptor, "tcp_no_descriptor", "clients that waited: no descriptor was left")     \
    X(tcp_bad_proxy, "tcp_bad_proxy", "connections closed: no PROXY header of a proxy in it")    \
    X(tls_accepted, "tls_accepted", "TLS handshakes done")                                       \
    X(tls_resumed, "tls_resumed", "of these, with a session of before")                          \
    X(tls_failed, "tls_failed", "connections closed: TLS handshake failed")                      \
    X(http_requests, "http_requests", "HTTP requests")                                           \
    X(http_refused, "http_refused", "HTTP requests that are no DNS query (4xx)")                 \
    X(http_answers, "http_answers", "answers over HTTP")                                         \
    X(http_unanswered, "http_unanswered", "queries over HTTP that got no answer (503)")          \
    X(http_bad_client, "http_bad_client", "HTTP requests whose proxy names no client (400)")     \
    X(http_malformed, "http_malformed", "HTTP connections or streams closed: malformed")         \
    X(http_resets, "http_resets", "HTTP/2 streams that ended before their answer")               \
    X(http_unread, "http_unread", "HTTP/2 requests refused: answers are not read")               \
    X(http_floods, "http_floods", "HTTP/2 connections closed: resets or frames without use")     \
    X(http_too_slow, "http_too_slow", "HTTP requests that did not come in time")                 \
    X(inject_ring_full, "inject_ring_full", "queries lost to a worker's full ring")              \
    X(inject_no_buffer, "inject_no_buffer", "queries lost: no buffer")                           \
    X(inject_table_full, "inject_table_full", "queries lost: too many wait for workers")         \
    X(inject_unanswered, "inject_unanswered", "queries that a worker dropped")                   \
    X(inject_lost, "inject_lost", "queries of which nothing was heard again")                    \
    X(answers_too_late, "answers_too_late", "answers whose client had gone")                     \
    X(upstream_udp, "upstream_udp", "upstream queries by kernel UDP")                            \
    X(upstream_tcp, "upstream_tcp", "upstream queries by TCP")                                   \
    X(upstream_replies, "upstream_replies", "upstream replies handed to workers")                \
    X(upstream_unmatched, "upstream_unmatched", "upstream replies that nobody awaits")           \
    X(upstream_forgotten, "upstream_forgotten",                                                  \
      "upstream queries by kernel UDP not waited for any more, to make room for others")         \
    X(upstream_errors, "upstream_errors", "upstream queries that the network refused")           \
    X(upstream_no_buffer, "upstream_no_buffer", "upstream replies lost: no buffer")              \
    X(reply_ring_full, "reply_ring_full", "upstream replies lost to a worker's full ring")       \
    X(upstream_channel, "upstream_channel", "upstream queries over connections that are kept")   \
    X(upstream_again, "upstream_again", "of these, asked once more on a newer connection")       \
    X(upstream_connects, "upstream_connects", "connections to upstreams that were made")         \
    X(upstream_connects_failed, "upstream_connects_failed", "and those that could not be")       \
    X(upstream_silent, "upstream_silent", "connections to upstreams that fell silent")           \
    X(upstream_names_found, "upstream_names_found", "look-ups of upstreams' names")              \
    X(upstream_names_lost, "upstream_names_lost", "look-ups of upstreams' names without answer")

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
