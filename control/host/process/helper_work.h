// The present work of helper threads, for the watch on stuck ones
// (control/observe/health/helper_watch.h).
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace steer {

// One piece of work of the calling thread, as long as this object lives. Costs a lock at its
// beginning and at its end.
class HelperWork {
  public:
    struct Running {
        std::string name;  // "reload"
        pid_t tid = 0;
        std::uint64_t serial = 0;  // unique
    };

    explicit HelperWork(std::string name) {
        State& all = state();
        const std::scoped_lock lock(all.mutex);
        me_ = all.running.insert(all.running.end(), {std::move(name), ::gettid(), ++all.serial});
    }
    ~HelperWork() {
        State& all = state();
        const std::scoped_lock lock(all.mutex);
        all.running.erase(me_);
    }
    HelperWork(const HelperWork&) = delete;
    HelperWork& operator=(const HelperWork&) = delete;

    // The work of the whole process. Any thread.
    static std::vector<Running> running() {
        State& all = state();
        const std::scoped_lock lock(all.mutex);
        return {all.running.begin(), all.running.end()};
    }

  private:
    struct State {
        std::mutex mutex;
        std::list<Running> running;
        std::uint64_t serial = 0;
    };
    // Never destroyed, because a thread may run after the end of main().
    static State& state() {
        static State& one = *new State;
        return one;
    }

    std::list<Running>::iterator me_;
};

}  // namespace steer
