// Writes a cache instance to a dump, and restores it.
//
// A restored answer has aged by the wall clock time since the dump's beginning. Keys are computed
// again, because their secret belongs to the process. Lists are found by name; a list that is no
// longer configured is left out. The dump does not have the name's sets: the first hit runs the
// present policy on the answer (executor.h). An answer stays in the cache if it is as young as the
// dump's or younger.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "control/cache/dump_file.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/counters.h"
#include "dataplane/cache/cache.h"

namespace steer {

// The parts of an instance for both directions.
struct DumpScope {
    std::uint16_t instance = 0;
    std::string tag;
    std::vector<ListName> lists;  // by ListId
};

// Writes all usable answers of the instance. `reader`: for cache::Walk. Returns their number.
Result<std::uint64_t> dump_instance(const cache::Cache& cache, unsigned reader,
                                    const DumpScope& scope, Now now, std::uint64_t wall_ms,
                                    const std::string& path);

struct Restored {
    std::uint64_t answers = 0;  // answers put into the cache
    std::uint64_t expired = 0;
    std::uint64_t known = 0;  // answers skipped, because the cache's were as young or younger
};
// Offers answers to the cache writers by Cache::offer(), and returns when none is pending. Returns
// false if the service is stopping.
using HandOver = std::function<bool(std::span<const cache::Cache::Offer>)>;
// For the time when no worker runs: the caller acts as all cache writers.
HandOver as_the_cache_writers(cache::Cache& cache, Now now);
// Error: the reason why the dump is unusable. The cache is then unchanged, unless the file changed
// during the read.
Result<Restored> restore_instance(cache::Cache& cache, const cache::KeyHasher& hasher,
                                  const DumpScope& scope, Now now, std::uint64_t wall_ms,
                                  const std::string& path, const HandOver& hand_over);

}  // namespace steer
