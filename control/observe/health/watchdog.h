// Ends the process when one of its threads is stuck, with the stack of that thread in the log, so that the service manager
// starts it again. Tells systemd that all is well while no thread is stuck (sd_notify, WATCHDOG=1).
//
// Stuck helper threads (helper_watch.h) are reported only: their stack is logged, and the process goes on.
//
// A thread of its own looks at the heartbeats four times a second. A thread that a debugger holds is reported, and does not
// end the process. Costs: two wake-ups of each sleeping worker a second.
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
    // From then on /livez fails; from then on the process ends.
    static constexpr std::uint64_t kPatienceMs = 5'000, kEndMs = 7'000;

    struct Watched {
        std::string name;                     // "worker 2"
        std::function<pid_t()> tid;           // 0: it does not run yet
        std::function<std::uint64_t()> beat;  // changes while it moves
        std::function<void()> nudge = {};     // makes a sleeping thread move; about twice a second
    };

    // Everything of `threads` is called on the watchdog's thread and outlives stop().
    explicit Watchdog(std::vector<Watched> threads);
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    void start();
    void stop();  // idempotent; before the watched threads end

    struct Pulse {
        const std::string& name;
        std::uint64_t still_ms;  // since its last sign of life
    };
    // Any thread.
    [[nodiscard]] std::vector<Pulse> pulses() const;
    // "worker 2 has been stuck for 7 s" of the threads whose name begins so; empty: none is stuck. Any thread.
    [[nodiscard]] std::string trouble(std::string_view name) const;
    [[nodiscard]] std::vector<HelperWatch::Stuck> stuck_helpers() const;  // any thread

  private:
    void run();
    void look(std::uint64_t passed_ms);
    void look_at_helpers(std::uint64_t passed_ms);
    void tell_systemd(std::uint64_t passed_ms, bool all_well);

    std::vector<Watched> watched_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> still_ms_;
    struct State;
    std::unique_ptr<State> state_;  // of the thread
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<HelperWatch::Stuck> stuck_helpers_;  // under the mutex
    bool ends_ = false;                              // under the mutex
    std::thread thread_;
};

}  // namespace steer
