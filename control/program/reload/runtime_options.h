// The sizes of the dataplane at its start (sizing.h computes them, control/runtime builds the
// tables).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/worker.h"

namespace steer {

struct RuntimeOptions {
    WorkerOptions worker;             // for each worker; `index` differs
    std::vector<int> worker_nodes{};  // where the memory of each is; empty: anywhere
    unsigned streams = 1;
    std::size_t cache_bytes = 0;               // 0: no cache in the configuration
    unsigned cache_shards = 1;                 // each with a cache writer; at most one a worker
    std::vector<std::uint32_t> cache_entries;  // by cache instance id
    unsigned board_rows = 262'144;
    // Answers in flight and held queries use small buffers; answers over TCP may need large ones.
    unsigned small_buffers = 16'384;  // per worker
    unsigned large_buffers = 256;
    // Of a worker's large ring of query records: 1 MiB. RecordRing adds 128 KiB.
    unsigned record_cells = 16'384;
};

}  // namespace steer
