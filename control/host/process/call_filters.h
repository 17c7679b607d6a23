// Filters of system calls (seccomp) for the threads of this process, each by its kind
// (thread_kind.h).
//
// A denied call fails with EPERM and is counted by kind and call; the process goes on. The kernel
// reports it to a thread of this file, `denials`, which answers it at once and takes no lock. If
// another program follows this process's calls already (some containers), denied calls fail as well
// and are not counted; the kernel's audit log has them. No other thread may answer, because an
// answer can let a call pass.
//
// Each thread filters itself, so a filter is in force before the thread's first work. Threads that
// begin after filter_rest() inherit the filter of the thread that starts them. Nothing is filtered
// in builds with a sanitizer. Cost: call_filter.h.
#pragma once

#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "control/host/process/thread_kind.h"

namespace steer {

enum class CallFilterMode : std::uint8_t {
    on,   // a denied call fails
    log,  // it is counted, and done
    off
};

// Prepares the filters; threads are filtered from now on. Main thread, before the first thread of
// expect_filtered(). Returns why nothing can be filtered; empty: it can.
std::string begin_call_filters(CallFilterMode mode);

// Announces that so many threads will call filter_this_thread().
void expect_filtered(unsigned threads);
// Filters the calling thread. Does nothing without begin_call_filters().
void filter_this_thread(ThreadKind kind);

// The calling thread is of this kind: it is filtered now or, before begin_call_filters(), by
// filter_rest(), even while it waits in a call of the kernel.
void be_of_kind(ThreadKind kind);

// Starts a thread of this kind, which filters itself before it calls `f`.
template <class F>
std::thread filtered_thread(ThreadKind kind, F f) {
    expect_filtered(1);
    return std::thread([kind, f = std::move(f)]() mutable {
        filter_this_thread(kind);
        f();
    });
}

// Filters the main thread as `control`, and every thread that has no filter yet as the kind that it
// named, else as `control`, too. Waits for threads that were announced. Returns the names of threads that could not be filtered.
std::vector<std::string> filter_rest();

// Filters a process with one thread of that kind; denied calls fail with EPERM. False: the kernel
// has no filters.
bool filter_this_process(ThreadKind kind);

struct DeniedCall {
    ThreadKind kind;
    std::string call;         // "openat"
    std::uint64_t count = 0;  // since the start
};
// What was denied so far. Any thread.
std::vector<DeniedCall> denied_calls();

}  // namespace steer
