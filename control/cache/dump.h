// Writes a cache instance to a dump, and restores it.
//
// A restored answer has aged by the wall clock time since the dump was begun. Keys are
// computed again, because their secret belongs to the process. Lists are found by name; one that is no longer configured
// is left out. The name's sets are not in the dump: the first hit runs the present policy on the answer (executor.h). An
// answer that the cache has as young as the dump stays.
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

// Writes all usable answers of the instance. `reader`: for cache::Walk. Returns the number written.
Result<std::uint64_t> dump_instance(const cache::Cache& cache, unsigned reader,
                                    const DumpScope& scope, Now now, std::uint64_t wall_ms,
                                    const std::string& path);

struct Restored {
    std::uint64_t answers = 0;  // that were put into the cache and fit
    std::uint64_t expired = 0;
    std::uint64_t known = 0;  // that it already had as young
};
// Offers answers to the cache writer by Cache::offer(), and returns when none is pending. False: stopping.
using HandOver = std::function<bool(std::span<const cache::Cache::Offer>)>;
// While no worker runs: the caller acts as the cache writer.
HandOver as_the_cache_writer(cache::Cache& cache, Now now);
// Error: why the dump is unusable; the cache is then unchanged, unless the file changed while it was read.
Result<Restored> restore_instance(cache::Cache& cache, const cache::KeyHasher& hasher,
                                  const DumpScope& scope, Now now, std::uint64_t wall_ms,
                                  const std::string& path, const HandOver& hand_over);

}  // namespace steer
