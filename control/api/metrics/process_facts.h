// The resources of this process, from /proc/self (proc(5)). Cheap enough for every scrape.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace steer::ops {

struct ProcessFacts {
    pid_t pid = 0;
    std::uint64_t resident_bytes = 0;  // without hugepages, which the kernel counts separately
    std::uint64_t threads = 0;
    double cpu_s = 0;                         // of all threads, user and system
    double started_s = 0;                     // since 1970, UTC
    std::optional<std::uint64_t> open_files;  // no value: cannot be counted without root
    std::uint64_t most_files = 0;             // RLIMIT_NOFILE
};

// Unreadable values are 0.
ProcessFacts process_facts();

}  // namespace steer::ops
