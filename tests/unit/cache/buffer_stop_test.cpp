// A thread that is not an lcore is stopped at every instruction of take() and release(), and workers go on: no user of the
// pools waits for a preempted thread.
//
// The thread runs in single steps (the trap flag of x86-64: a SIGTRAP after each instruction). The handler counts them and
// stays at the one that is wanted until it is let go.
#include "dataplane/base/buffer.h"

#include <boost/test/unit_test.hpp>

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

using namespace steer;

namespace {

constexpr unsigned kBuffers = 63;
constexpr auto kPatience =
    std::chrono::seconds(20);  // of a worker that waits for the stopped thread

std::atomic<unsigned> steps, stop_at;
std::atomic<bool> is_stopped, may_go_on;

void on_step(int, siginfo_t*, void*) {
    if (steps.fetch_add(1) + 1 != stop_at.load()) return;
    is_stopped = true;
    while (!may_go_on.load())
        ::sched_yield();
}

// All instructions of `work` in single steps.
template <class Work>
[[gnu::noinline]] void step_through(Work&& work) {
    asm volatile(  // past the red zone
        "leaq -128(%%rsp), %%rsp\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tleaq 128(%%rsp), "
        "%%rsp" ::
            : "memory", "cc");
    work();
    asm volatile(
        "leaq -128(%%rsp), %%rsp\n\tpushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq\n\tleaq 128(%%rsp), "
        "%%rsp" ::
            : "memory", "cc");
}

class StepHandler {
  public:
    StepHandler() {
        struct sigaction action {};
        action.sa_sigaction = on_step;
        action.sa_flags = SA_SIGINFO;
        ::sigaction(SIGTRAP, &action, &before_);
    }
    ~StepHandler() { ::sigaction(SIGTRAP, &before_, nullptr); }
    StepHandler(const StepHandler&) = delete;
    StepHandler& operator=(const StepHandler&) = delete;

  private:
    struct sigaction before_ {};
};

// More than an lcore keeps for itself, so that the shared part of the pool is used.
unsigned take_and_release_all(BufferPools& pools) {
    std::vector<Buffer*> taken;
    taken.reserve(kBuffers);
    while (Buffer* const b = pools.take(1))
        taken.push_back(b);
    for (Buffer* const b : taken)
        release(b);
    return static_cast<unsigned>(taken.size());
}

enum class Seen { went_on, waited, was_done };

// `work` is stopped at instruction `at`; during the stop this thread, an lcore, uses the pools.
template <class Work>
Seen stopped_at(unsigned at, BufferPools& pools, const Work& work) {
    steps = 0;
    stop_at = at;
    is_stopped = may_go_on = false;
    std::atomic<bool> is_done{false}, worker_is_done{false};
    std::thread stopped([&] {
        step_through(work);
        is_done = true;
    });
    while (!is_stopped && !is_done)
        ::sched_yield();
    std::atomic<bool> waited{false};
    std::thread patience([&] {
        const auto end = std::chrono::steady_clock::now() + kPatience;
        while (!worker_is_done && std::chrono::steady_clock::now() < end)
            ::sched_yield();
        waited = !worker_is_done;
        may_go_on = true;
    });
    unsigned least = kBuffers;
    for (int round = 0; round < 3 && is_stopped; ++round)
        least = std::min(least, take_and_release_all(pools));
    worker_is_done = true;
    patience.join();
    stopped.join();
    // What the stopped thread has in hand is missing, and it has one.
    BOOST_TEST(least + 1 >= kBuffers, "stopped at " << at << ": " << least << " buffers");
    if (waited) return Seen::waited;
    return is_stopped ? Seen::went_on : Seen::was_done;
}

template <class Prepare, class Work>
void nobody_waits(BufferPools& pools, const Prepare& prepare, const Work& work) {
    const StepHandler handler;
    unsigned at = 1;
    for (;; ++at) {
        prepare();
        const Seen seen = stopped_at(at, pools, work);
        BOOST_TEST_REQUIRE((seen != Seen::waited),
                           "a worker waits for a thread stopped at step " << at);
        if (seen == Seen::was_done) break;
    }
    BOOST_TEST(at > 50U);  // it was about something
    BOOST_TEST_MESSAGE("stopped at " << at - 1 << " instructions");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(buffer_stop)

BOOST_AUTO_TEST_CASE(workers_go_on_while_a_thread_is_stopped_within_take) {
    BufferPools pools{kBuffers, 3};
    Buffer* mine = nullptr;
    nobody_waits(
        pools,
        [&] {
            release(mine);
            mine = nullptr;
        },
        [&] { mine = pools.take(1); });
    release(mine);
    BOOST_TEST(pools.in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(workers_go_on_while_a_thread_is_stopped_within_release) {
    BufferPools pools{kBuffers, 3};
    Buffer* mine = nullptr;
    nobody_waits(
        pools, [&] { mine = pools.take(1); }, [&] { release(mine); });
    BOOST_TEST(pools.in_use() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

#endif
