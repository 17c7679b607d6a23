// Counts of queries by transport, type and rcode, and response times. As in Counters, one worker
// writes them and any thread may read them. A busy worker adds to them once per kTurns turns
// (stages/query_ends.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/base/client_transport.h"
#include "dataplane/base/counters.h"
#include "dataplane/dns/counted_types.h"
#include "matchers/counter_table.h"

namespace steer {

//    name, description
#define STEER_LATENCY_PATHS(X)                                                     \
    X(cache, "from the cache")                                                     \
    X(stale, "from the cache after its TTL (RFC 8767)")                            \
    X(local, "without cache and upstream: static records, leases, lists, rejects") \
    X(forwarded, "after an upstream was asked")                                    \
    X(held, "after a router acknowledged its rows, or was too late")

STEER_COUNTER_ENUM(LatencyPath, kLatencyPaths, STEER_LATENCY_PATHS);

// A histogram as in Prometheus, except that a bucket counts only its own durations, not shorter
// ones.
struct LatencyHistogram {
    // Upper bounds, inclusive. The last bucket counts all longer durations.
    static constexpr std::array<std::uint32_t, 13> kBoundsUs{
        10,     30,      100,     300,       1'000,     3'000,     10'000,
        30'000, 100'000, 300'000, 1'000'000, 3'000'000, 10'000'000};

    std::array<Count, kBoundsUs.size() + 1> buckets;
    Count sum_us;

    static constexpr std::size_t bucket_of(std::uint64_t us) noexcept {
        std::size_t i = 0;
        while (i < kBoundsUs.size() && us > kBoundsUs[i])
            ++i;
        return i;
    }
    void add(std::uint64_t us, std::uint64_t n = 1) noexcept {
        buckets[bucket_of(us)].add(n);
        sum_us.add(us * n);
    }
};

struct alignas(64) QueryCounters {
    // Queries that ended, at [dns::type_row_of() + column of the rcode]. Each answer counts once.
    std::array<Count, dns::kTypeTable> ends;
    std::array<Count, kClientTransports.size()> transports;  // received queries
    std::array<LatencyHistogram, kLatencyPaths.size()> latency;
    Count busy_cycles;  // TSC cycles of turns that had work

    void received(ClientTransport t, std::uint64_t n = 1) noexcept {
        transports[static_cast<std::size_t>(t)].add(n);
    }
    [[nodiscard]] LatencyHistogram& of(LatencyPath p) noexcept {
        return latency[static_cast<std::size_t>(p)];
    }
    [[nodiscard]] std::uint64_t count(std::size_t type, std::size_t column) const noexcept {
        return ends[dns::type_row_of(type) + column].get();
    }
};

static_assert(sizeof(QueryCounters) % 64 == 0, "no line of two workers");

}  // namespace steer
