// Threads that read, build and fetch: who answers queries and writes rows goes first.
#pragma once

#include <pthread.h>
#include <sys/resource.h>

#include <system_error>
#include <thread>
#include <utility>

#include "control/process_limits.h"
#include "matchers/result.h"

namespace steer {

// Of the calling thread alone.
inline void run_in_background() {
    constexpr int kNice = 10;
    ::setpriority(PRIO_PROCESS, 0, kNice);
}

// One piece of work at a time, on a thread of its own. Whoever has one has it as its last member: the work uses others.
class BackgroundThread {
  public:
    // `name`: as tools show it, at most 15 bytes.
    explicit BackgroundThread(const char* name) : name_(name) {}
    ~BackgroundThread() { wait(); }
    BackgroundThread(const BackgroundThread&) = delete;
    BackgroundThread& operator=(const BackgroundThread&) = delete;

    // Waits for the work before it, which has posted its last word. Error: there can be no thread; nothing is done.
    template <class Work>
    Result<void> run(Work work) {
        wait();
        try {
            thread_ = std::thread([name = name_, todo = std::move(work)]() mutable {
                pthread_setname_np(pthread_self(), name);
                run_in_background();
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
    std::thread thread_;
};

}  // namespace steer
