// Ends the process when one of its threads is stuck, with that thread's stack in the log, so that
// the service manager restarts it. Reports to systemd while no thread is stuck (sd_notify,
// WATCHDOG=1).
//
// Stuck helper threads (helper_watch.h) are only reported: their stack is logged, and the process
// continues.
//
// Its own thread checks the heartbeats four times a second. A thread that a debugger holds is
// reported, and does not end the process. Cost: two wake-ups per second of each sleeping worker.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "control/observe/health/helper_watch.h"

namespace steer {

class Watchdog {
  public:
    // After the first time /livez fails; after the second the process ends.
    static constexpr std::uint64_t kPatienceMs = 5'000, kEndMs = 7'000;

    struct Watched {
        std::string name;                     // "worker 2"
        std::function<pid_t()> tid;           // 0: it does not run yet
        std::function<std::uint64_t()> beat;  // changes while it runs
        std::function<void()> nudge = {};     // wakes a sleeping thread; about twice a second
    };

    // The functions in `threads` are called on the watchdog's thread and must outlive stop().
    explicit Watchdog(std::vector<Watched> threads);
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    void start();
    void stop();  // may be repeated; before the watched threads end

    struct Pulse {
        const std::string& name;
        std::uint64_t still_ms;  // since its last heartbeat
    };
    // Any thread.
    [[nodiscard]] std::vector<Pulse> pulses() const;
    // "worker 2 has been stuck for 7 s", for threads with names that begin with `name`; empty: none
    // is stuck. Any thread.
    [[nodiscard]] std::string error(std::string_view name) const;
    [[nodiscard]] std::vector<HelperWatch::Stuck> stuck_helpers() const;  // any thread

  private:
    void run();
    void check(std::uint64_t passed_ms);
    void check_helpers(std::uint64_t passed_ms);
    void tell_systemd(std::uint64_t passed_ms, bool all_well);

    std::vector<Watched> watched_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> still_ms_;
    struct State;
    std::unique_ptr<State> state_;  // used by the thread
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<HelperWatch::Stuck> stuck_helpers_;  // under the mutex
    bool ends_ = false;                              // under the mutex
    std::thread thread_;
};

}  // namespace steer
