// What this process uses, as /proc/self says it (proc(5)). Cheap enough for every scrape; no heap beyond a few lines.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace steer::ops {

struct ProcessFacts {
    pid_t pid = 0;
    std::uint64_t resident_bytes = 0;  // without hugepages, which the kernel counts apart
    std::uint64_t threads = 0;
    double cpu_s = 0;                         // of all threads, user and system
    std::optional<std::uint64_t> open_files;  // nothing: who gave up root may not count them
    std::uint64_t most_files = 0;             // RLIMIT_NOFILE
};

// What cannot be read is 0.
ProcessFacts process_facts();

}  // namespace steer::ops
