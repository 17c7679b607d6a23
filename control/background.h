// Threads that read, build and fetch: who answers queries and writes rows goes first.
#pragma once

#include <sys/resource.h>

namespace steer {

// Of the calling thread alone.
inline void run_in_background() {
    constexpr int kNice = 10;
    ::setpriority(PRIO_PROCESS, 0, kNice);
}

}  // namespace steer
