// Stacks of threads that spin, that sleep in the kernel, and that take no signals.
#include "control/host/process/stack_trace.h"

#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

std::atomic<bool> stack_test_ends{false};

// Not in an unnamed namespace and not inlined: the trace names them.
[[gnu::noinline]] void stack_test_spins() {
    while (!stack_test_ends.load())
        asm volatile("" ::: "memory");
}

[[gnu::noinline]] void stack_test_reads(int pipe) {
    char byte = 0;
    while (::read(pipe, &byte, 1) < 0)
        asm volatile("" ::: "memory");
    asm volatile("" ::"r"(&byte) : "memory");
}

namespace {

struct StuckThread {
    template <class Body>
    explicit StuckThread(Body body)
        : thread([this, body] {
              tid.store(::gettid());
              body();
          }) {
        while (tid.load() == 0)
            std::this_thread::yield();
    }
    ~StuckThread() { thread.join(); }
    std::atomic<pid_t> tid{0};
    std::thread thread;
};

bool names(const std::vector<std::string>& lines, const std::string& function) {
    for (const std::string& line : lines) {
        if (line.find(function) != std::string::npos) return true;
    }
    std::printf("not in the trace: %s\n", function.c_str());
    for (const std::string& line : lines)
        std::printf("  %s\n", line.c_str());
    return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stack_trace)

BOOST_AUTO_TEST_CASE(a_spinning_thread_is_traced_and_goes_on) {
    steer::prepare_stack_traces();
    stack_test_ends = false;
    StuckThread stuck([] { stack_test_spins(); });
    // It may not have reached the function yet.
    while (!names(steer::stack_of(stuck.tid, 10s), "stack_test_spins()")) {
    }
    const auto lines = steer::stack_of(stuck.tid, 10s);
    BOOST_TEST(lines.front().starts_with("#0 "));
    stack_test_ends = true;
}

#ifndef __SANITIZE_THREAD__  // it delivers the signal after the call
BOOST_AUTO_TEST_CASE(a_thread_in_the_kernel_is_traced_and_goes_on) {
    steer::prepare_stack_traces();
    int ends[2];
    BOOST_REQUIRE(::pipe(ends) == 0);
    {
        StuckThread stuck([&] { stack_test_reads(ends[0]); });
        while (!names(steer::stack_of(stuck.tid, 10s), "stack_test_reads(int)")) {
        }
        BOOST_REQUIRE(::write(ends[1], "x", 1) == 1);
    }
    ::close(ends[0]);
    ::close(ends[1]);
}
#endif

BOOST_AUTO_TEST_CASE(a_thread_that_takes_no_signals_is_reported_with_its_state) {
    steer::prepare_stack_traces();
    stack_test_ends = false;
    std::atomic<bool> is_deaf{false};
    StuckThread stuck([&] {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
        is_deaf = true;
        stack_test_spins();
    });
    while (!is_deaf)
        std::this_thread::yield();
    const auto lines = steer::stack_of(stuck.tid, 20ms);
    BOOST_REQUIRE(lines.size() == 1U);
    BOOST_TEST(lines[0].starts_with("no stack trace: the thread does not handle signals (state R"),
               lines[0]);
    stack_test_ends = true;
}

BOOST_AUTO_TEST_CASE(a_thread_that_has_ended_is_reported) {
    steer::prepare_stack_traces();
    pid_t gone = 0;
    std::thread([&] { gone = ::gettid(); }).join();
    const auto lines = steer::stack_of(gone, 20ms);
    BOOST_REQUIRE(lines.size() == 1U);
    BOOST_TEST(lines[0].find("has ended") != std::string::npos, lines[0]);
}

BOOST_AUTO_TEST_SUITE_END()
