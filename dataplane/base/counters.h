// The counters of a worker. Only the worker writes its Counters, with relaxed stores. Any thread
// may read them. They are never reset.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/base/sighting.h"
#include "dataplane/base/verdict.h"
#include "matchers/counter_table.h"

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

//    name, what was counted
#define STEER_EVENTS(X)                                                                            \
    X(rx_packets, "packets received")                                                              \
    X(tx_packets, "packets sent to ports")                                                         \
    X(injected_queries, "queries received from streams threads")                                   \
    X(moved_queries, "queries received from other workers")                                        \
    X(frames_for_others, "packets of other workers that the port accepted")                        \
    X(frames_for_others_dropped, "packets of other workers that the port did not accept")          \
    X(parked_total, "pending queries so far")                                                      \
    X(cache_hits, "answers found in a cache")                                                      \
    X(packet_cache_hits, "cache hits answered by the packet cache")                                \
    X(cache_misses, "cache lookups without an answer")                                             \
    X(cache_inserts, "cache entries written")                                                      \
    X(cache_evictions, "cache entries evicted to make room")                                       \
    X(cache_flushed, "cache entries removed by an operator")                                       \
    X(cache_pages_moved, "memory pages moved to another entry size")                               \
    X(cache_too_big, "answers too large for the cache")                                            \
    X(cache_insert_ring_full, "answers not cached: the ring to its cache writer is full")          \
    X(cache_insert_no_room, "answers not cached: no entry could be evicted")                       \
    X(cache_insert_table_full, "answers not cached: no slot for their key")                        \
    X(cache_stale_answers, "expired answers served (RFC 8767)")                                    \
    X(cache_failure_hits, "cache hits on a cached failure (RFC 9520)")                             \
    X(cache_guarded_hits, "cache hits that re-evaluated client, random, rate or time rules")       \
    X(cache_refreshes, "background refreshes of cached answers")                                   \
    X(cache_prefetches, "background refreshes of popular answers about to expire")                 \
    X(cache_refreshes_failed,                                                                      \
      "background refreshes of expired answers that brought no answer to store")                   \
    X(cache_refreshes_busy,                                                                        \
      "background refreshes not begun: too many of their cache run (`lazy_refresh_concurrency`)")  \
    X(cookies_valid, "queries with a valid server cookie (RFC 7873)")                              \
    X(cookies_client, "queries with a client cookie, and without a valid server cookie")           \
    X(name_memo_hits, "names whose domain sets were remembered")                                   \
    X(names_inherited, "names that inherited domain sets (`inherit`)")                             \
    X(name_matches, "names looked up in the domain sets")                                          \
    X(plans_made, "combinations of domain sets whose rules were precomputed")                      \
    X(hints_denied, "HTTPS and SVCB answers emptied: no buffer to remove a family")                \
    X(prefer_denied, "answers emptied by prefer_ipv4 or prefer_ipv6")                              \
    X(dns64_synthesized, "AAAA answers synthesized by dns64")                                      \
    X(dns64_unchanged, "answers that dns64 could not change: no buffer or room")                   \
    X(dns64_failed, "AAAA answers replaced by SERVFAIL: no buffer or room for dns64")              \
    X(static_answers, "answers from static records")                                               \
    X(lease_answers, "answers from DHCP leases")                                                   \
    X(queries_blocked, "queries that the policy blocks")                                           \
    X(queries_allowed, "queries that an exception or a rule allows, except plain cache hits")      \
    X(queries_rewritten, "queries that were asked for another name")                               \
    X(queries_rejected, "queries that `reject` answers")                                           \
    X(rules_blocked, "queries that a rule of an operator blocks")                                  \
    X(rules_allowed, "blocking instructions that a rule of an operator passes")                    \
    X(ad_list_denied, "queries whose name ad lists block")                                         \
    X(ad_list_targets_denied,                                                                      \
      "queries whose answer points to a name that ad lists block (`cname`)")                       \
    X(rpz_denied, "answers denied by policy zones (NXDOMAIN, NODATA)")                             \
    X(rpz_answered, "answers with records of policy zones")                                        \
    X(rpz_renamed, "queries redirected to another name by policy zones")                           \
    X(rpz_passed, "queries exempted by policy zones (PASSTHRU)")                                   \
    X(rpz_dropped, "queries dropped by policy zones (DROP)")                                       \
    X(rpz_truncated, "queries redirected to TCP by policy zones (TCP-Only)")                       \
    X(local_denied, "queries under .local answered without an upstream")                           \
    X(not_forwarded, "queries of class CHAOS and under resolver.arpa, which no upstream is asked") \
    X(special_names, "queries for special-use names and empty zones answered without an upstream") \
    X(any_answered, "queries of type ANY answered without an upstream (`any`, RFC 8482)")          \
    X(private_denied, "answers with private addresses replaced by an empty one (`rebind`)")        \
    X(fallback_secondary, "answers from the secondary of a fallback")                              \
    X(replies_routed, "answers sent to the next hop of their client's route (`reply: route`)")     \
    X(replies_unrouted,                                                                            \
      "answers sent back to their sender: the route's next hop is unknown, or not on this "        \
      "worker's ports")                                                                            \
    X(upstream_queries, "queries sent to upstreams")                                               \
    X(upstream_coalesced, "queries that joined an identical query in flight")                      \
    X(upstream_retries, "queries repeated at another upstream")                                    \
    X(upstream_without_edns, "queries repeated without EDNS")                                      \
    X(upstream_timeouts, "upstream queries that timed out")                                        \
    X(upstream_failures, "SERVFAIL, REFUSED and other errors from upstreams")                      \
    X(upstream_scrubbed, "replies with records that do not belong to the question")                \
    X(upstream_reordered,                                                                          \
      "replies whose chain of CNAMEs was put in order, or completed for a DNAME")                  \
    X(upstream_no_route, "upstream queries without a route")                                       \
    X(upstream_table_full, "upstream queries not sent: too many in flight (`max_in_flight`)")      \
    X(upstream_quota, "upstream queries not sent: too many for the domain (`max_per_suffix`)")     \
    X(upstream_displaced, "old upstream queries abandoned to make room for new ones")              \
    X(upstream_near_misses, "replies with a wrong id, port or name: possibly forged")              \
    X(upstream_case_mismatches,                                                                    \
      "replies dropped: the name is not in the case that was sent (`random_case`)")                \
    X(upstream_variants,                                                                           \
      "questions sent over TCP: eight others for their name and type are in flight")               \
    X(upstream_suspected, "questions repeated over TCP after possibly forged replies")             \
    X(upstream_cookie_mismatches,                                                                  \
      "replies without the cookie that their upstream must return: possibly forged")               \
    X(upstream_cookie_lapses,                                                                      \
      "upstreams that returned cookies and stopped, so that they are not required for a time")     \
    X(upstream_bad_cookies, "queries repeated with the new cookie of a BADCOOKIE reply")           \
    X(upstream_negative_held,                                                                      \
      "negative replies that waited for another upstream (`response_selection`)")                  \
    X(upstream_loops, "queries refused: a proved forwarding loop brought them back")               \
    X(loop_tests, "upstreams asked whether they send our questions back to us")                    \
    X(loops_proved, "forwarding loops that such a test proved, of an upstream or of a name")       \
    X(upstream_limit, "queries above `max_concurrent_queries` of their forward")                   \
    X(events_raised, "claims sent to routers")                                                     \
    X(events_ring_full, "claims lost: the ring is full")                                           \
    X(answers_shortened, "policy answers with more than `max_addresses` addresses")                \
    X(additional_left_out,                                                                         \
      "policy answers without the additional records whose addresses no list claims")              \
    X(events_shared, "reports of shared addresses sent to routers")                                \
    X(events_shared_lost, "reports of shared addresses lost: the ring is full")                    \
    X(upstream_tx_full, "upstream queries that the port did not accept")                           \
    X(moved_replies, "upstream replies received from other workers")                               \
    X(moved_replies_dropped,                                                                       \
      "upstream replies from other workers that were unexpected or malformed")                     \
    X(claims_covered, "policy answers whose rows were already on the router")                      \
    X(full_answered,                                                                               \
      "policy answers without a row: their list is full (`on_full: answer`), or it lost refusals " \
      "and may have refused the row")                                                              \
    X(full_capped,                                                                                 \
      "policy answers with a TTL of 5 s at most: their list is full (`on_full: cap_ttl`), or it "  \
      "lost refusals and may have refused the row; then each answer without a row counts")         \
    X(full_servfail,                                                                               \
      "policy answers replaced by SERVFAIL: their list is full (`on_full: servfail`)")             \
    X(hold_released, "waiting answers released by an acknowledgement")                             \
    X(hold_late,                                                                                   \
      "waiting answers released by `sync_timeout`, or because their row cannot be there in time")  \
    X(hold_router_away, "answers that did not wait: the router is unreachable")                    \
    X(end_without_answer, "programs that ended without an answer (empty NOERROR)")                 \
    X(options_too_long, "EDNS options too long for forward_edns0opt")                              \
    X(rewrite_failed,                                                                              \
      "answers of redirect or ecs_handler replaced by SERVFAIL: no buffer or room")                \
    X(ttls_unchanged, "answers whose TTLs could not be changed: no buffer")                        \
    X(notes_sent, "log records and learned names sent to control")                                 \
    X(notes_dropped, "log records lost: the ring is full")                                         \
    X(learned_dropped, "learned names lost: the ring is half full")                                \
    X(records_written, "query records written for control")                                        \
    X(records_lost, "query records lost: the ring is full")                                        \
    X(capture_frames, "frames copied for `steerctl capture`")                                      \
    X(capture_lost, "frames not captured: the ring is full")                                       \
    X(naps, "short sleeps of a worker with a polled port or under load")                           \
    X(sleeps, "times that the worker slept")

STEER_COUNTER_ENUM(Stat, kStats, STEER_EVENTS);

// Lookups of one cache (CacheInstance::id).
inline constexpr std::size_t kCountedCaches = 64;
struct CacheLookups {
    Count hits, misses;
    Count stale;  // answers past their TTL; `hits` includes them
};

struct alignas(64) Counters {
    std::array<Count, static_cast<std::size_t>(Verdict::count_)> verdicts;
    std::array<Count, static_cast<std::size_t>(Moved::count_)> moved;
    std::array<Count, static_cast<std::size_t>(Injected::count_)> injected;
    std::array<Count, static_cast<std::size_t>(PendingOutcome::count_)> pending_outcomes;
    std::array<Count, static_cast<std::size_t>(Stat::count_)> stats;
    std::array<Sighting, static_cast<std::size_t>(Overload::count_)> sightings;
    // A busy worker adds its plain hits here once per QueryEnds::kTurns turns.
    std::array<CacheLookups, kCountedCaches> caches;

    void add(Verdict v, std::uint64_t n = 1) { verdicts[static_cast<std::size_t>(v)].add(n); }
    void add(Moved v, std::uint64_t n = 1) { moved[static_cast<std::size_t>(v)].add(n); }
    void add(Injected v, std::uint64_t n = 1) { injected[static_cast<std::size_t>(v)].add(n); }
    void add(PendingOutcome v, std::uint64_t n = 1) {
        pending_outcomes[static_cast<std::size_t>(v)].add(n);
    }
    void add(Stat v, std::uint64_t n = 1) { stats[static_cast<std::size_t>(v)].add(n); }
    void saw(Overload t, const IpAddress& client, std::span<const std::uint8_t> name) noexcept {
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
