// Between a cache instance and its dump: what goes out, and what comes back in.
//
// A restored answer is as old as it is: it has aged by what the clock on the wall says since the dump was begun. Keys are
// made anew, because their secret is the process's. Lists come back by name; one that is no longer configured is left
// out. The name's sets are not in the dump: the first hit runs the policy of today on the answer (executor.h). What the
// cache has as young as the dump stays as it is.
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
    std::uint64_t answers = 0;  // that were put into the cache, and have room in it
    std::uint64_t expired = 0;
    std::uint64_t known = 0;  // that it had already, as young
};
// Hands answers to the cache writer by Cache::offer(), and returns when none is pending. False: it is ending.
using HandOver = std::function<bool(std::span<const cache::Cache::Offer>)>;
// While no worker runs: by the caller, as the cache writer.
HandOver as_the_cache_writer(cache::Cache& cache, Now now);
// Error: why the dump is of no use; the cache is then as it was, but for a file that changes while it is read.
Result<Restored> restore_instance(cache::Cache& cache, const cache::KeyHasher& hasher,
                                  const DumpScope& scope, Now now, std::uint64_t wall_ms,
                                  const std::string& path, const HandOver& hand_over);

}  // namespace steer
