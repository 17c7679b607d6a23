// Every way out of a worker, once: the enum, the counter, the metric's label, the line in the docs.
//
// A received mbuf gets exactly one Verdict, from the worker that received it. A query that it moved
// to another worker (Verdict::query_moved) gets exactly one Moved from that one. What came as a
// message from `streams` (injected queries) gets exactly one Injected; an answer that leaves a
// parked record gets exactly one ParkedEnd. Each table's sum equals what went in
// (tests/packet/sums_test.cpp).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace steer {

//    name                       label                        what happened
#define STEER_VERDICTS(X)                                                                      \
    X(answered, "answered", "answer sent at once")                                             \
    X(answered_truncated, "answered_truncated", "answer above the client's size: TC set")      \
    X(answered_error, "answered_error", "malformed query told so (FORMERR, NOTIMP, BADVERS)")  \
    X(refused_client, "refused_client", "client is in none of dataplane.allow")                \
    X(forwarded, "forwarded", "query parked, an upstream is asked")                            \
    X(held, "held", "answer known, waits for a router")                                        \
    X(query_moved, "query_moved", "query given to the worker that serves its flow")            \
    X(upstream_reply, "upstream_reply", "an upstream's reply that was awaited")                \
    X(upstream_moved, "upstream_moved", "an upstream's reply for another worker")              \
    X(drop_upstream_unknown, "drop_upstream_unknown",                                          \
      "reply that nobody awaits, or from the wrong source")                                    \
    X(drop_upstream_malformed, "drop_upstream_malformed",                                      \
      "reply that does not parse or answers another question")                                 \
    X(punted, "punted", "not ours: handed to the kernel")                                      \
    X(drop_no_kernel, "drop_no_kernel", "not ours, and this port has no kernel side")          \
    X(drop_other_host, "drop_other_host", "to another host's MAC address (a flooding switch)") \
    X(drop_short_frame, "drop_short_frame", "cut off inside Ethernet, IP or UDP")              \
    X(drop_bad_ip, "drop_bad_ip", "IP header or total length wrong")                           \
    X(drop_bad_checksum, "drop_bad_checksum", "IP or UDP checksum wrong")                      \
    X(drop_bad_source, "drop_bad_source", "source is multicast, loopback, ours, or port 0")    \
    X(drop_bad_mac, "drop_bad_mac", "source MAC address is multicast or broadcast")            \
    X(drop_segmented, "drop_segmented", "a packet in pieces too large for one mbuf")           \
    X(drop_short_header, "drop_short_header", "fewer than 12 bytes of DNS")                    \
    X(drop_response, "drop_response", "a response sent to our port 53")                        \
    X(drop_parked_full, "drop_parked_full", "no room for another parked query")                \
    X(drop_client_quota, "drop_client_quota", "client has too many parked queries")            \
    X(drop_suffix_quota, "drop_suffix_quota", "too many parked queries under one domain")      \
    X(servfail_quota, "servfail_quota", "one of these two, told by SERVFAIL (over_quota)")     \
    X(drop_no_buffer, "drop_no_buffer", "no buffer for the answer")                            \
    X(drop_ring_full, "drop_ring_full", "the ring to another worker is full")                  \
    X(drop_tx_full, "drop_tx_full", "the port did not take the answer")                        \
    X(drop_router_away, "drop_router_away", "on_timeout: drop, and the router is away")        \
    X(dropped_by_policy, "dropped_by_policy", "a rule said drop: no answer")

// Names are Verdict's.
//    name                       label                        what happened
#define STEER_MOVED(X)                                                                        \
    X(answered, "answered", "answer given to the port's worker")                              \
    X(answered_truncated, "answered_truncated", "answer above the client's size: TC set")     \
    X(answered_error, "answered_error", "malformed query told so (FORMERR, NOTIMP, BADVERS)") \
    X(refused_client, "refused_client", "client is in none of dataplane.allow")               \
    X(forwarded, "forwarded", "query parked, an upstream is asked")                           \
    X(held, "held", "answer known, waits for a router")                                       \
    X(drop_bad_checksum, "drop_bad_checksum", "UDP checksum wrong")                           \
    X(drop_short_header, "drop_short_header", "fewer than 12 bytes of DNS")                   \
    X(drop_response, "drop_response", "a response sent to our port 53")                       \
    X(drop_parked_full, "drop_parked_full", "no room for another parked query")               \
    X(drop_client_quota, "drop_client_quota", "client has too many parked queries")           \
    X(drop_suffix_quota, "drop_suffix_quota", "too many parked queries under one domain")     \
    X(servfail_quota, "servfail_quota", "one of these two, told by SERVFAIL (over_quota)")    \
    X(drop_no_buffer, "drop_no_buffer", "no buffer for the answer")                           \
    X(drop_ring_full, "drop_ring_full", "the ring to another worker is full")                 \
    X(drop_tx_full, "drop_tx_full", "the ring to the port's worker did not take the answer")  \
    X(drop_router_away, "drop_router_away", "on_timeout: drop, and the router is away")       \
    X(dropped_by_policy, "dropped_by_policy", "a rule said drop: no answer")

//    name                       label                        what happened
#define STEER_INJECTED(X)                                                                        \
    X(answered, "answered", "answer returned at once")                                           \
    X(answered_truncated, "answered_truncated", "answer above the client's size: TC set")        \
    X(refused_client, "refused_client", "client is in none of dataplane.allow")                  \
    X(answered_error, "answered_error", "malformed query told so")                               \
    X(forwarded, "forwarded", "query parked, an upstream is asked")                              \
    X(held, "held", "answer known, waits for a router")                                          \
    X(drop_malformed, "drop_malformed", "nothing that can be replied to")                        \
    X(drop_parked_full, "drop_parked_full", "no room for another parked query")                  \
    X(drop_client_quota, "drop_client_quota", "client has too many parked queries")              \
    X(drop_suffix_quota, "drop_suffix_quota", "too many parked queries under one domain")        \
    X(servfail_quota, "servfail_quota", "one of these two, told by SERVFAIL (over_quota)")       \
    X(drop_no_buffer, "drop_no_buffer", "no buffer for the answer")                              \
    X(drop_ring_full, "drop_ring_full", "the ring to another worker or back to streams is full") \
    X(drop_router_away, "drop_router_away", "on_timeout: drop, and the router is away")          \
    X(dropped_by_policy, "dropped_by_policy", "a rule said drop: no answer")

//    name                       label                        what happened
#define STEER_PARKED_ENDS(X)                                                                  \
    X(answered, "answered", "answer sent")                                                    \
    X(answered_truncated, "answered_truncated", "answer above the client's size: TC set")     \
    X(servfail, "servfail", "no upstream answered: SERVFAIL sent")                            \
    X(dropped_over_quota, "dropped_over_quota", "too many upstream queries under one domain") \
    X(dropped_on_timeout, "dropped_on_timeout", "on_timeout: drop")                           \
    X(dropped_by_policy, "dropped_by_policy", "a rule said drop: no answer")                  \
    X(refreshed, "refreshed", "a refresh in the background is over: nobody waited")           \
    X(branch_over, "branch_over", "a branch of another query is over (fallback)")             \
    X(drop_no_buffer, "drop_no_buffer", "no buffer for the answer")                           \
    X(drop_tx_full, "drop_tx_full", "the port or ring did not take the answer")               \
    X(generation_ended, "generation_ended", "its configuration was retired: SERVFAIL sent")

#define STEER_ENUM(name, label, text) name,
#define STEER_LABEL(name, label, text) std::string_view{label},
#define STEER_TEXT(name, label, text) std::string_view{text},

enum class Verdict : std::uint8_t { STEER_VERDICTS(STEER_ENUM) count_ };
enum class Moved : std::uint8_t { STEER_MOVED(STEER_ENUM) count_ };
enum class Injected : std::uint8_t { STEER_INJECTED(STEER_ENUM) count_ };
enum class ParkedEnd : std::uint8_t { STEER_PARKED_ENDS(STEER_ENUM) count_ };

inline constexpr std::array kVerdictLabels{STEER_VERDICTS(STEER_LABEL)};
inline constexpr std::array kMovedLabels{STEER_MOVED(STEER_LABEL)};
inline constexpr std::array kInjectedLabels{STEER_INJECTED(STEER_LABEL)};
inline constexpr std::array kParkedEndLabels{STEER_PARKED_ENDS(STEER_LABEL)};

}  // namespace steer
