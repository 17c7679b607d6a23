// CPU time of the calling thread.
#pragma once

#include <time.h>

#include <cstdint>

namespace steer::bench {

inline std::int64_t thread_ns() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

}  // namespace steer::bench
