// Threads that read, build and fetch. Their priority is lower than that of threads that answer
// queries and write rows.
#pragma once

#include <pthread.h>
#include <sys/resource.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "control/host/process/helper_work.h"
#include "control/host/process/process_limits.h"
#include "matchers/result.h"

namespace steer {

// The running work on such threads in the whole process. The process's end waits for it for a
// limited time.
class BackgroundWork {
  public:
    BackgroundWork() {
        const std::scoped_lock lock(state().mutex);
        ++state().count;
    }
    ~BackgroundWork() {
        const std::scoped_lock lock(state().mutex);
        if (--state().count == 0) state().none.notify_all();
    }
    BackgroundWork(const BackgroundWork&) = delete;
    BackgroundWork& operator=(const BackgroundWork&) = delete;

    // Returns false if some work is still running after that time.
    static bool wait_for_none(std::chrono::milliseconds patience) {
        std::unique_lock lock(state().mutex);
        return state().none.wait_for(lock, patience, [] { return state().count == 0; });
    }

  private:
    struct State {
        std::mutex mutex;
        std::condition_variable none;
        std::size_t count = 0;
    };
    static State& state() {
        static State one;
        return one;
    }
};

// Sets the priority of the calling thread only.
inline void run_in_background() {
    constexpr int kNice = 10;
    ::setpriority(PRIO_PROCESS, 0, kNice);
}

// One piece of work at a time, on its own thread. Make it the last member of its owner, because the
// work uses the other members.
class BackgroundThread {
  public:
    // `name`: the thread's name, at most 15 bytes. `is_urgent`: the thread keeps the caller's
    // priority.
    explicit BackgroundThread(const char* name, bool is_urgent = false)
        : name_(name), is_urgent_(is_urgent) {}
    ~BackgroundThread() { wait(); }
    BackgroundThread(const BackgroundThread&) = delete;
    BackgroundThread& operator=(const BackgroundThread&) = delete;

    // Waits for the previous work, which has posted its result, then starts this work. Error: no
    // thread can be created; then the work is not done.
    template <class Work>
    Result<void> run(Work work) {
        wait();
        try {
            thread_ = std::thread(
                [name = name_, is_urgent = is_urgent_, todo = std::move(work)]() mutable {
                    const BackgroundWork counted;
                    const HelperWork watched(name);
                    pthread_setname_np(pthread_self(), name);
                    if (!is_urgent) run_in_background();
                    todo();
                });
        } catch (const std::system_error& error) {
            return no_thread(error);
        }
        return {};
    }

  private:
    void wait() {
        if (thread_.joinable()) thread_.join();
    }

    const char* name_;
    const bool is_urgent_;
    std::thread thread_;
};

}  // namespace steer
