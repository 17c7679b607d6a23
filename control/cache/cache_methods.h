// What operators ask of the cache: methods of the control socket, and metrics.
//
//   cache.stats {}                                      one row per cache
//   cache.show  {"name": N}                             what is held for a name
//   cache.flush {"name"|"suffix"|"tag"|"instance": X}   one of them, or none for everything; answers when it is done
//               with "with_rows": true the rows of their addresses are removed from routers too: "rows" of the answer
//   cache.dump  {"file": PATH, "instance": TAG}         instance: may be left out if there is one cache
//   cache.restore {"file": PATH, "instance": TAG}       what that dump holds, but for what is held as young
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/build/build.h"
#include "control/cache/cache_service.h"
#include "control/ops/json_rpc.h"
#include "control/ops/metrics.h"
#include "matchers/name_matcher.h"

namespace steer {

// What names are matched against now.
struct SetsInForce {
    std::vector<build::NamedSet> sets;
    std::shared_ptr<const matchers::NameMatcher> names;  // nullptr: no rule at all
};

// All outlive the JsonRpc's last call.
struct CacheMethods {
    CacheService& service;
    const cache::Cache& cache;
    Clock& clock;
    const SetsInForce& in_force;
    // Takes the rows of these addresses away from routers; calls back with how many, on the thread of the methods.
    std::function<void(std::vector<IpAddress>, std::function<void(std::size_t)>)> forget_rows{};
};

void add_cache_methods(ops::JsonRpc& rpc, const CacheMethods& methods);
void write_cache_metrics(ops::MetricWriter& writer, const CacheService& service,
                         const cache::Cache& cache);

// Of a runtime without a cache: each method says so.
void add_no_cache_methods(ops::JsonRpc& rpc);

}  // namespace steer
