// Between a cache instance and its dump: what goes out, and what comes back in.
//
// A restored answer is as old as it is: it has aged by what the clock on the wall says since the dump was begun. Keys are
// made anew, because their secret is the process's. Lists come back by name; one that is no longer configured is left
// out. The name's sets are not in the dump: the first hit runs the policy of today on the answer (executor.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/cache/dump_file.h"
#include "dataplane/cache/cache.h"
#include "dataplane/clock.h"
#include "dataplane/counters.h"

namespace steer {

// What there is of an instance, for both ways.
struct DumpScope {
    std::uint16_t instance = 0;
    std::string tag;
    std::vector<ListName> lists;  // by ListId
};

// Everything of the instance that is usable now. `reader`: cache::Walk's. Returns how many answers it wrote.
Result<std::uint64_t> dump_instance(const cache::Cache& cache, unsigned reader,
                                    const DumpScope& scope, Now now, std::uint64_t wall_ms,
                                    const std::string& path);

struct Restored {
    std::uint64_t answers = 0;  // that are in the cache now
    std::uint64_t expired = 0;
};
// As the keeper: the workers do not run. Error: why the dump is of no use; the cache is then as it was.
Result<Restored> restore_instance(cache::Cache& cache, const cache::KeyHasher& hasher,
                                  const DumpScope& scope, Now now, std::uint64_t wall_ms,
                                  const std::string& path);

}  // namespace steer
