// The counters of a worker. Only the worker writes its Counters, with relaxed stores; any thread may
// read them. They are never reset.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "dataplane/base/sighting.h"
#include "dataplane/base/verdict.h"

namespace steer {

// A counter with one writer: an increment is a load and a store, not a locked instruction.
class Count {
  public:
    void add(std::uint64_t n = 1) {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

//    name                          label                        what was counted
#define STEER_EVENTS(X)                                                                            \
    X(rx_packets, "rx_packets", "mbufs received")                                                  \
    X(tx_packets, "tx_packets", "mbufs given to ports")                                            \
    X(injected_queries, "injected_queries", "queries that came as messages")                       \
    X(moved_queries, "moved_queries", "queries that another worker received and handed over")      \
    X(frames_for_others, "frames_for_others", "frames of other workers that a port took")          \
    X(frames_for_others_dropped, "frames_for_others_dropped",                                      \
      "frames of other workers that the port did not take")                                        \
    X(parked_total, "parked_total", "parked records ever taken")                                   \
    X(cache_hits, "cache_hits", "answers found in a cache")                                        \
    X(packet_cache_hits, "packet_cache_hits", "cache hits answered by an identical earlier query") \
    X(cache_misses, "cache_misses", "lookups without an answer")                                   \
    X(cache_inserts, "cache_inserts", "entries written by the cache writer")                       \
    X(cache_evictions, "cache_evictions", "entries evicted for room")                              \
    X(cache_flushed, "cache_flushed", "entries dropped because an operator asked for it")          \
    X(cache_pages_moved, "cache_pages_moved", "pages that went to another size of answer")         \
    X(cache_too_big, "cache_too_big", "answers too big for the cache")                             \
    X(cache_insert_ring_full, "cache_insert_ring_full", "inserts lost to a full ring")             \
    X(cache_insert_no_room, "cache_insert_no_room", "inserts lost: nothing could be evicted")      \
    X(cache_insert_table_full, "cache_insert_table_full", "inserts lost: no place for their key")  \
    X(cache_stale_answers, "cache_stale_answers", "answers past their TTL (RFC 8767)")             \
    X(cache_failure_hits, "cache_failure_hits", "of the hits, failures remembered (RFC 9520)")     \
    X(cache_guarded_hits, "cache_guarded_hits", "of the hits, lists chosen anew for the client")   \
    X(cache_refreshes, "cache_refreshes", "queries that refresh a cached answer unasked")          \
    X(cache_prefetches, "cache_prefetches", "of those, for popular answers about to expire")       \
    X(name_memo_hits, "name_memo_hits", "names whose sets were remembered")                        \
    X(names_inherited, "names_inherited", "names that got the sets of a name that points to them") \
    X(name_matches, "name_matches", "names that went through the matcher")                         \
    X(plans_made, "plans_made", "tag sets for which the program's prefix was walked")              \
    X(hints_denied, "hints_denied",                                                                \
      "HTTPS and SVCB answers left empty: no buffer to take out a family")                         \
    X(prefer_denied, "prefer_denied", "of prefer_ipv4 and prefer_ipv6: answers left empty")        \
    X(dns64_synthesized, "dns64_synthesized", "answers to A that dns64 made into answers to AAAA") \
    X(dns64_unchanged, "dns64_unchanged", "answers that dns64 had no buffer or room to change")    \
    X(dns64_failed, "dns64_failed", "of AAAA: answered SERVFAIL for the same reason")              \
    X(static_answers, "static_answers", "answers of static records")                               \
    X(lease_answers, "lease_answers", "answers about hosts with a DHCP lease")                     \
    X(ad_list_denied, "ad_list_denied", "queries for names of ad lists, denied")                   \
    X(rpz_denied, "rpz_denied", "answers that policy zones denied (NXDOMAIN, NODATA)")             \
    X(rpz_answered, "rpz_answered", "answers with records of policy zones")                        \
    X(rpz_renamed, "rpz_renamed", "queries for which policy zones named another name")             \
    X(rpz_passed, "rpz_passed", "queries that policy zones let through (PASSTHRU)")                \
    X(rpz_dropped, "rpz_dropped", "queries that policy zones left without an answer (DROP)")       \
    X(rpz_truncated, "rpz_truncated", "queries that policy zones sent to TCP (TCP-Only)")          \
    X(local_denied, "local_denied", "queries under .local that no upstream was asked")             \
    X(fallback_secondary, "fallback_secondary", "answers that a fallback's secondary gave")        \
    X(upstream_queries, "upstream_queries", "queries sent to upstreams")                           \
    X(upstream_coalesced, "upstream_coalesced", "queries that joined one in flight")               \
    X(upstream_retries, "upstream_retries", "queries sent again to another upstream")              \
    X(upstream_without_edns, "upstream_without_edns", "queries repeated without EDNS")             \
    X(upstream_timeouts, "upstream_timeouts", "upstream queries without a reply in time")          \
    X(upstream_failures, "upstream_failures", "SERVFAIL, REFUSED and the like from upstreams")     \
    X(upstream_scrubbed, "upstream_scrubbed",                                                      \
      "replies with records that do not belong to their question")                                 \
    X(upstream_no_route, "upstream_no_route", "upstream queries without a next hop")               \
    X(upstream_table_full, "upstream_table_full", "no room for another query in flight")           \
    X(upstream_quota, "upstream_quota", "queries of a domain with too many in flight")             \
    X(upstream_displaced, "upstream_displaced",                                                    \
      "of queries in flight, old ones that made room for new ones")                                \
    X(upstream_near_misses, "upstream_near_misses",                                                \
      "replies to an open question with the wrong id, port or name: perhaps forged")               \
    X(upstream_suspected, "upstream_suspected",                                                    \
      "questions asked over TCP because of too many of those")                                     \
    X(upstream_negative_held, "upstream_negative_held",                                            \
      "negative replies that waited for another upstream's (response_selection)")                  \
    X(upstream_limit, "upstream_limit", "queries above their forward's max_concurrent_queries")    \
    X(events_raised, "events_raised", "claims handed to routers")                                  \
    X(events_ring_full, "events_ring_full", "claims that found the ring full")                     \
    X(answers_shortened, "answers_shortened", "policy answers with more than max_addresses")       \
    X(events_shared, "events_shared", "words to routers that other names share addresses")         \
    X(events_shared_lost, "events_shared_lost", "of those, addresses that found the ring full")    \
    X(upstream_tx_full, "upstream_tx_full", "upstream queries that the port did not take")         \
    X(moved_replies, "moved_replies", "upstream replies that another worker handed over")          \
    X(moved_replies_dropped, "moved_replies_dropped",                                              \
      "of those, the ones that no query awaited or that do not parse")                             \
    X(claims_covered, "claims_covered", "policy answers whose rows were known to be there")        \
    X(hold_released, "hold_released", "held answers released by an acknowledgement")               \
    X(hold_late, "hold_late", "held answers whose sync_timeout came first")                        \
    X(hold_router_away, "hold_router_away", "answers not held: the router is away")                \
    X(end_without_answer, "end_without_answer",                                                    \
      "programs that ended without an answer (empty NOERROR)")                                     \
    X(options_too_long, "options_too_long",                                                        \
      "of forward_edns0opt: options not passed on, which are too long")                            \
    X(rewrite_failed, "rewrite_failed",                                                            \
      "answers behind redirect, ecs_handler that became SERVFAIL: no buffer, no room in a "        \
      "message")                                                                                   \
    X(ttls_unchanged, "ttls_unchanged", "answers whose TTLs were not changed: no buffer was free") \
    X(notes_sent, "notes_sent", "log records and learned names handed to control")                 \
    X(notes_dropped, "notes_dropped", "log records that found the ring full")                      \
    X(learned_dropped, "learned_dropped", "learned names that found the ring half full")           \
    X(naps, "naps", "of the sleeps, timed naps: with a polled port, and under load")               \
    X(sleeps, "sleeps", "times the worker went to sleep")

enum class Stat : std::uint8_t { STEER_EVENTS(STEER_ENUM) count_ };
inline constexpr std::array kStatLabels{STEER_EVENTS(STEER_LABEL)};
inline constexpr std::array kStatTexts{STEER_EVENTS(STEER_TEXT)};

struct alignas(64) Counters {
    std::array<Count, static_cast<std::size_t>(Verdict::count_)> verdicts;
    std::array<Count, static_cast<std::size_t>(Moved::count_)> moved;
    std::array<Count, static_cast<std::size_t>(Injected::count_)> injected;
    std::array<Count, static_cast<std::size_t>(PendingOutcome::count_)> pending_outcomes;
    std::array<Count, static_cast<std::size_t>(Stat::count_)> stats;
    std::array<Sighting, static_cast<std::size_t>(Trouble::count_)> sightings;

    void add(Verdict v, std::uint64_t n = 1) { verdicts[static_cast<std::size_t>(v)].add(n); }
    void add(Moved v, std::uint64_t n = 1) { moved[static_cast<std::size_t>(v)].add(n); }
    void add(Injected v, std::uint64_t n = 1) { injected[static_cast<std::size_t>(v)].add(n); }
    void add(PendingOutcome v, std::uint64_t n = 1) {
        pending_outcomes[static_cast<std::size_t>(v)].add(n);
    }
    void add(Stat v, std::uint64_t n = 1) { stats[static_cast<std::size_t>(v)].add(n); }
    void saw(Trouble t, const IpAddress& client, std::span<const std::uint8_t> name) noexcept {
        sightings[static_cast<std::size_t>(t)].write(client, name);
    }
    [[nodiscard]] std::uint64_t get(Verdict v) const {
        return verdicts[static_cast<std::size_t>(v)].get();
    }
    [[nodiscard]] std::uint64_t get(Moved v) const {
        return moved[static_cast<std::size_t>(v)].get();
    }
    [[nodiscard]] std::uint64_t get(Injected v) const {
        return injected[static_cast<std::size_t>(v)].get();
    }
    [[nodiscard]] std::uint64_t get(PendingOutcome v) const {
        return pending_outcomes[static_cast<std::size_t>(v)].get();
    }
    [[nodiscard]] std::uint64_t get(Stat v) const {
        return stats[static_cast<std::size_t>(v)].get();
    }
};

static_assert(alignof(Counters) == 64 && sizeof(Counters) % 64 == 0, "no line of two workers");

}  // namespace steer
