// Every limit on what one client, domain or server may use: one row each. The parser of `limits:`,
// `steerctl limits`, metrics and the documentation read this table.
//
// STEER_LIMIT_KINDS are the kinds of rows that `limits:` can have (`what`). The first five are
// decided by workers, the others by threads of `streams`. STEER_QUOTAS are quotas of other
// settings: always in force, under their own names and counters.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace steer {

//    name, key, unit, what is counted
#define STEER_LIMIT_KINDS(X)                                                                    \
    X(queries, "client prefix", "queries/s", "queries, before any work is done for them")       \
    X(bytes, "client prefix", "bytes/s", "bytes of the messages of these queries")              \
    X(responses, "client prefix, name, response code", "answers/s",                             \
      "answers over UDP (response rate limiting)")                                              \
    X(nxdomain, "domain", "answers/s", "NXDOMAIN answers for names below a registrable domain") \
    X(servfail, "domain", "answers/s", "SERVFAIL answers for names below a registrable domain") \
    X(connections, "client prefix", "connections/s", "new connections")                         \
    X(handshakes, "client prefix", "handshakes/s", "TLS handshakes begun")                      \
    X(streams, "client prefix", "requests/s", "queries over TCP and TLS, and requests over HTTP")

#define STEER_LIMIT_KIND(name, key, unit, text) name,
enum class LimitWhat : std::uint8_t { STEER_LIMIT_KINDS(STEER_LIMIT_KIND) count_ };
#undef STEER_LIMIT_KIND
inline constexpr std::size_t kLimitKinds = static_cast<std::size_t>(LimitWhat::count_);

// The counters of a quota are labels of STEER_ENDS, STEER_EVENTS and STEER_STREAM_COUNTS, separated
// by blanks.
//    name, key, unit, verdict, counters, where it is set, what is limited
#define STEER_QUOTAS(X)                                                                            \
    X(max_parked_per_client, "client address, IPv6 /64; UDP and connections apart",                \
      "pending queries per worker", "over_quota",                                                  \
      "drop_client_quota servfail_quota truncated_quota", "dataplane.max_parked_per_client",       \
      "queries of a client that wait for an upstream or a router")                                 \
    X(max_per_suffix, "registrable domain", "percent of max_parked and max_in_flight",             \
      "over_quota", "drop_suffix_quota dropped_over_quota upstream_quota",                         \
      "dataplane.max_per_suffix", "queries for names below a domain that wait")                    \
    X(max_connections, "server", "connections", "closed", "tcp_over_limit",                        \
      "max_connections of a server", "open connections of a server")                               \
    X(max_connections_per_client, "client address, IPv6 /64", "connections", "closed",             \
      "tcp_over_client_limit", "max_connections_per_client of a server",                           \
      "open connections of a client at a server")                                                  \
    X(rate_limiter, "client prefix (mask4, mask6)", "queries/s", "as the rule of the matcher", "", \
      "plugin rate_limiter", "queries that a sequence tests with this matcher")

struct LimitFact {
    std::string_view name, key, unit, verdict, counters, setting, text;
    bool is_quota;
};
#define STEER_LIMIT_FACT(name, key, unit, text) \
    LimitFact{#name, key, unit, "action", "", "limits", text, false},
#define STEER_QUOTA_FACT(name, key, unit, verdict, counters, setting, text) \
    LimitFact{#name, key, unit, verdict, counters, setting, text, true},
inline constexpr std::array kLimitFacts{STEER_LIMIT_KINDS(STEER_LIMIT_FACT)
                                            STEER_QUOTAS(STEER_QUOTA_FACT)};
#undef STEER_LIMIT_FACT
#undef STEER_QUOTA_FACT

constexpr const LimitFact& fact_of(LimitWhat what) {
    return kLimitFacts[static_cast<std::size_t>(what)];
}

// What a row does with a query, answer or connection above its limit (`action`).
#define STEER_LIMIT_ACTIONS(X) X(drop) X(truncate) X(refuse) X(servfail)

#define STEER_LIMIT_ACTION(name) name,
enum class LimitAction : std::uint8_t { STEER_LIMIT_ACTIONS(STEER_LIMIT_ACTION) };
#undef STEER_LIMIT_ACTION
#define STEER_LIMIT_ACTION_NAME(name) std::string_view(#name),
inline constexpr std::array kLimitActionNames{STEER_LIMIT_ACTIONS(STEER_LIMIT_ACTION_NAME)};
#undef STEER_LIMIT_ACTION_NAME

constexpr std::string_view name_of(LimitAction action) {
    return kLimitActionNames[static_cast<std::size_t>(action)];
}

// What happened to something above a limit. Each is a counter of its row.
//    name, text
#define STEER_LIMIT_DECISIONS(X)                                                        \
    X(dropped, "no answer was sent, or the connection was closed")                      \
    X(truncated, "an empty answer with TC was sent, so that the client repeats by TCP") \
    X(refused, "REFUSED was sent")                                                      \
    X(servfail, "SERVFAIL was sent")                                                    \
    X(leaked, "let pass, one of `leak`")                                                \
    X(dry_run, "let pass, because the row has `dry_run`")

#define STEER_LIMIT_DECISION(name, text) name,
enum class LimitDecision : std::uint8_t { STEER_LIMIT_DECISIONS(STEER_LIMIT_DECISION) count_ };
#undef STEER_LIMIT_DECISION
struct LimitDecisionFact {
    std::string_view label, text;
};
#define STEER_LIMIT_DECISION_FACT(name, text) LimitDecisionFact{#name, text},
inline constexpr std::array kLimitDecisions{STEER_LIMIT_DECISIONS(STEER_LIMIT_DECISION_FACT)};
#undef STEER_LIMIT_DECISION_FACT

}  // namespace steer
