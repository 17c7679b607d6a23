// The cache methods of the control socket (docs/reference/control-socket.md), and metrics.
//
// cache.flush answers when no client can get any of the flushed answers. With "with_rows" it also
// removes the rows of their addresses from routers; "rows" in its result counts them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/cache/cache_service.h"
#include "control/program/build/sets_in_force.h"

namespace steer {

// Lookups of a cache since the start, of all workers.
struct CacheLookupSums {
    std::uint64_t hits = 0, misses = 0, stale = 0;
};
using LookupsOf = std::function<CacheLookupSums(std::uint16_t instance)>;

// All must outlive the last request.
struct CacheMethods {
    CacheService& service;
    const cache::Cache& cache;
    LookupsOf lookups;
    Clock& clock;
    const SetsInForce& in_force;
    // Removes the rows of these addresses from routers. Calls back with their number, on the thread
    // of the methods.
    std::function<void(std::vector<IpAddress>, std::function<void(std::size_t)>)> forget_rows{};
};

// Selects the answers of these names.
CacheService::Filter named_by(std::vector<matchers::Rule> names);

// Without a cache, each method returns an error that says so.
void add_cache_methods(ops::Methods& methods, const std::optional<CacheMethods>& of);
void write_cache_metrics(ops::MetricWriter& writer, const CacheService& service,
                         const cache::Cache& cache, const LookupsOf& lookups);

}  // namespace steer
