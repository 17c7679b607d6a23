// What operators ask of the cache: methods of the control socket (docs/reference/control-socket.md), and metrics.
//
// cache.flush answers when no client gets any of the answers any more. With "with_rows" it also removes the rows of their
// addresses from routers; "rows" of its answer counts them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/build/build.h"
#include "control/cache/cache_service.h"
#include "control/ops/methods.h"
#include "control/ops/metrics.h"
#include "matchers/name_matcher.h"

namespace steer {

// What names are matched against now.
struct SetsInForce {
    std::vector<build::NamedSet> sets;
    std::shared_ptr<const matchers::NameMatcher> names;  // nullptr: no rule at all
};

// All outlive the last request.
struct CacheMethods {
    CacheService& service;
    const cache::Cache& cache;
    Clock& clock;
    const SetsInForce& in_force;
    // Takes the rows of these addresses away from routers; calls back with how many, on the thread of the methods.
    std::function<void(std::vector<IpAddress>, std::function<void(std::size_t)>)> forget_rows{};
};

// Without a cache each method answers that there is none.
void add_cache_methods(ops::Methods& methods, std::optional<CacheMethods> of);
void write_cache_metrics(ops::MetricWriter& writer, const CacheService& service,
                         const cache::Cache& cache);

}  // namespace steer
