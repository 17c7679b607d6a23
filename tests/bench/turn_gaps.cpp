// For LD_PRELOAD: notes the gaps between the turns of steerdnsd's worker in the file TURN_GAPS
// (turn_gaps.h). The worker reads CLOCK_BOOTTIME once a turn. One worker, in `idle: spin`.
#include "bench/turn_gaps.h"

#include <dlfcn.h>
#include <pthread.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

using ClockGettime = int (*)(clockid_t, timespec*);
ClockGettime g_real = nullptr;
steer::bench::TurnGaps* g_gaps = nullptr;

struct Thread {
    enum class Is : unsigned char { unknown, worker, other } is = Is::unknown;
    std::uint64_t last = 0;
};
thread_local Thread t_thread;

[[gnu::constructor]] void begin() {
    g_real = reinterpret_cast<ClockGettime>(::dlsym(RTLD_NEXT, "clock_gettime"));
    if (const char* const path = std::getenv("TURN_GAPS"))
        g_gaps = steer::bench::TurnGaps::open(path);
}

Thread::Is kind_of_this_thread() {
    std::array<char, 32> name{};
    ::pthread_getname_np(::pthread_self(), name.data(), name.size());
    return std::strstr(name.data(), "worker") != nullptr ? Thread::Is::worker : Thread::Is::other;
}

}  // namespace

extern "C" int clock_gettime(clockid_t id, timespec* time) noexcept {
    if (id == CLOCK_BOOTTIME && g_gaps != nullptr) {
        if (t_thread.is == Thread::Is::unknown) t_thread.is = kind_of_this_thread();
        if (t_thread.is == Thread::Is::worker) g_gaps->turn(t_thread.last);
    }
    if (g_real == nullptr) begin();  // another constructor ran first
    return g_real(id, time);
}
