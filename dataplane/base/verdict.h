// All ends of work in a worker, one row each. Enums, counters, labels of metrics and the sums that
// must match follow from this table.
//
// The four columns (y or n) say which kinds of work can end in this row:
// - received: an mbuf. It ends in exactly one Verdict, on the worker that received it.
// - moved: a query that another worker received and moved here (Verdict::query_moved). It ends in
//   exactly one Moved.
// - injected: a query from a message of `streams`. It ends in exactly one Injected.
// - parked: an answer to a parked record. It ends in exactly one PendingOutcome.
// The ends of each kind sum up to the work that went in (tests/packet/sums_test.cpp).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "matchers/counter_table.h"

namespace steer {

//    name, received, moved, injected, parked, description
#define STEER_ENDS(X)                                                                             \
    X(answered, y, y, y, y, "the complete answer was sent")                                       \
    X(answered_truncated, y, y, y, y,                                                             \
      "the answer exceeded the client's size limit and was sent truncated (TC)")                  \
    X(answered_error, y, y, y, n, "a malformed query got FORMERR, NOTIMP or BADVERS")             \
    X(refused_client, y, y, y, n, "the client is not in `dataplane.allow`; it got REFUSED")       \
    X(refused_norecurse, y, y, y, n,                                                              \
      "a query without RD that no local data answers; it got REFUSED (`norecurse`)")              \
    X(forwarded, y, y, y, n, "the query waits for an upstream")                                   \
    X(held, y, y, y, n, "the answer is known and waits for a router")                             \
    X(notify_passed, y, y, n, n, "a NOTIFY of a zone's primary: control answers it")              \
    X(query_moved, y, n, n, n, "the query was passed to the worker of its flow")                  \
    X(upstream_reply, y, n, n, n, "an expected reply of an upstream")                             \
    X(upstream_moved, y, n, n, n, "a reply of an upstream, passed to another worker")             \
    X(drop_upstream_unknown, y, n, n, n, "an unexpected reply, or a reply from a wrong source")   \
    X(drop_upstream_malformed, y, n, n, n,                                                        \
      "a reply that is malformed or answers another question")                                    \
    X(punted, y, n, n, n, "not DNS for this daemon: passed to the kernel")                        \
    X(drop_no_kernel, y, n, n, n,                                                                 \
      "not DNS for this daemon, and the port has no exception interface")                         \
    X(drop_other_host, y, n, n, n, "for another host's MAC address (a flooding switch)")          \
    X(drop_short_frame, y, n, n, n, "truncated Ethernet, IP or UDP packet")                       \
    X(drop_bad_ip, y, n, n, n, "invalid IP header or total length")                               \
    X(drop_bad_checksum, y, y, n, n, "invalid IP or UDP checksum")                                \
    X(drop_bad_source, y, n, n, n,                                                                \
      "the source is multicast, loopback, a local or broadcast address, or port 0")               \
    X(drop_source_port, y, n, y, n,                                                               \
      "the source port is in `dataplane.drop_source_ports`: a reflector's reply")                 \
    X(drop_bad_mac, y, n, n, n, "the source MAC address is multicast or broadcast")               \
    X(drop_segmented, y, n, n, n, "a packet in several mbufs that does not fit one")              \
    X(drop_short_header, y, y, y, n,                                                              \
      "fewer than 12 bytes of DNS, or shorter than its header says")                              \
    X(drop_response, y, y, y, n, "a DNS response sent to port 53")                                \
    X(drop_parked_full, y, y, y, n, "too many pending queries on this worker (`max_parked`)")     \
    X(drop_client_quota, y, y, y, n,                                                              \
      "too many pending queries of this client (`max_parked_per_client`)")                        \
    X(drop_suffix_quota, y, y, y, n,                                                              \
      "too many pending queries for this domain (`max_per_suffix`)")                              \
    X(servfail_quota, y, y, y, n, "a quota was exceeded; the client got SERVFAIL (`over_quota`)") \
    X(truncated_quota, y, y, y, n,                                                                \
      "the quota of a UDP client was exceeded; it was sent to TCP (`over_quota`)")                \
    X(bad_cookie, y, y, y, n,                                                                     \
      "under load, a query without a valid server cookie got BADCOOKIE (`cookies`)")              \
    X(truncated_cookie, y, y, y, n,                                                               \
      "under load, a query without a cookie was sent to TCP (`cookies`)")                         \
    X(limited_dropped, y, y, y, y, "above a row of `limits`; no answer was sent")                 \
    X(limited_truncated, y, y, y, y, "above a row of `limits`; the client was sent to TCP")       \
    X(limited_refused, y, y, y, y, "above a row of `limits`; the client got REFUSED")             \
    X(limited_servfail, y, y, y, y, "above a row of `limits`; the client got SERVFAIL")           \
    X(drop_no_buffer, y, y, y, y, "no packet buffer for the answer")                              \
    X(drop_ring_full, y, y, y, n, "the ring to another worker or to a streams thread is full")    \
    X(drop_notify_rate, y, y, n, n, "more NOTIFYs in a second than a worker passes to control")   \
    X(drop_tx_full, y, y, n, y, "the port or ring did not accept the answer")                     \
    X(drop_router_away, y, y, y, n, "the router is unreachable, and `on_timeout: drop` is set")   \
    X(dropped_by_policy, y, y, y, y, "a `drop` rule of the policy")                               \
    X(loop_test, y, y, y, n,                                                                      \
      "a question of our own test for forwarding loops came back; no answer was sent")            \
    X(servfail, n, n, n, y, "no upstream answered; the client got SERVFAIL")                      \
    X(dropped_over_quota, n, n, n, y,                                                             \
      "too many upstream queries for this domain (`max_per_suffix`)")                             \
    X(dropped_on_timeout, n, n, n, y, "`sync_timeout` expired, and `on_timeout: drop` is set")    \
    X(refreshed, n, n, n, y, "a background refresh finished; no client waited")                   \
    X(branch_over, n, n, n, y, "a branch of another query finished (`fallback` and similar)")     \
    X(generation_ended, n, n, n, y, "a reload removed its configuration; the client got SERVFAIL")

// The rows of a kind: STEER_IF_y keeps its argument, STEER_IF_n drops it.
#define STEER_IF_y(...) __VA_ARGS__
#define STEER_IF_n(...)
#define STEER_RECEIVED(name, received, moved, injected, parked, text) STEER_IF_##received(name, )
#define STEER_MOVED(name, received, moved, injected, parked, text) STEER_IF_##moved(name, )
#define STEER_INJECTED(name, received, moved, injected, parked, text) STEER_IF_##injected(name, )
#define STEER_PARKED(name, received, moved, injected, parked, text) STEER_IF_##parked(name, )

enum class Verdict : std::uint8_t { STEER_ENDS(STEER_RECEIVED) count_ };
enum class Moved : std::uint8_t { STEER_ENDS(STEER_MOVED) count_ };
enum class Injected : std::uint8_t { STEER_ENDS(STEER_INJECTED) count_ };
enum class PendingOutcome : std::uint8_t { STEER_ENDS(STEER_PARKED) count_ };
// The number of a row in the table, for all kinds of work.
#define STEER_ROW(name, received, moved, injected, parked, text) name,
enum class EndRow : std::uint8_t { STEER_ENDS(STEER_ROW) count_ };

// The table as data.
struct End {
    std::string_view label;  // in metrics and over the control socket
    std::string_view text;
    bool received, moved, injected, parked;
};
#define STEER_IS_y true
#define STEER_IS_n false
#define STEER_END(name, received, moved, injected, parked, text) \
    End{#name, text, STEER_IS_##received, STEER_IS_##moved, STEER_IS_##injected, STEER_IS_##parked},
inline constexpr std::array kEnds{STEER_ENDS(STEER_END)};
static_assert(std::all_of(kEnds.begin(), kEnds.end(),
                          [](const End& e) { return e.received || !(e.moved || e.injected); }),
              "a moved or injected query ends with a Verdict, which is counted as theirs");

// The rows of one kind, by their number in its enum.
template <class Kind, bool End::*kind>
consteval auto ends_of() {
    constexpr auto kCount =
        std::count_if(kEnds.begin(), kEnds.end(), [](const End& e) { return e.*kind; });
    CounterTable<Kind, kCount> table{};
    std::size_t i = 0;
    for (const End& e : kEnds) {
        if (!(e.*kind)) continue;
        table.rows[i] = {e.label, e.text, static_cast<Kind>(i)};
        ++i;
    }
    return table;
}
inline constexpr auto kVerdicts = ends_of<Verdict, &End::received>();
inline constexpr auto kMovedEnds = ends_of<Moved, &End::moved>();
inline constexpr auto kInjectedEnds = ends_of<Injected, &End::injected>();
inline constexpr auto kPendingOutcomes = ends_of<PendingOutcome, &End::parked>();

// Maps a Verdict's number to the same end in the enum `To`; To::count_ if `To` does not have it.
template <class To, bool End::*kind>
consteval auto ends_by_verdict() {
    std::array<To, kVerdicts.size()> ends{};
    std::size_t verdict = 0;
    std::uint8_t to = 0;
    for (const End& e : kEnds) {
        if (e.received) ends[verdict++] = e.*kind ? static_cast<To>(to) : To::count_;
        if (e.*kind) ++to;
    }
    return ends;
}
inline constexpr auto kMovedByVerdict = ends_by_verdict<Moved, &End::moved>();
// The row of an end, by its number in its own enum.
template <class Kind, bool End::*kind>
consteval auto rows_of() {
    std::array<EndRow, ends_of<Kind, kind>().size()> rows{};
    std::size_t i = 0;
    for (std::size_t row = 0; row < kEnds.size(); ++row) {
        if (kEnds[row].*kind) rows[i++] = static_cast<EndRow>(row);
    }
    return rows;
}
inline constexpr auto kRowByVerdict = rows_of<Verdict, &End::received>();
inline constexpr auto kRowByOutcome = rows_of<PendingOutcome, &End::parked>();
constexpr EndRow row_of(Verdict v) {
    return kRowByVerdict[static_cast<std::size_t>(v)];
}
constexpr EndRow row_of(PendingOutcome e) {
    return kRowByOutcome[static_cast<std::size_t>(e)];
}
static_assert(row_of(PendingOutcome::servfail) == EndRow::servfail &&
              row_of(Verdict::dropped_by_policy) == EndRow::dropped_by_policy);

inline constexpr auto kInjectedByVerdict = ends_by_verdict<Injected, &End::injected>();

}  // namespace steer
