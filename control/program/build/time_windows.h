// The windows of `time` matchers (dataplane/policy/time_window.h), set by the clock of this machine.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "control/config/settings/matcher_settings.h"
#include "dataplane/policy/time_window.h"

namespace steer::build {

struct TimedWindow {
    config::TimeMatch periods;
    std::shared_ptr<TimeWindow> window;
};

// Sets each to whether `now` is within its periods. If time zones cannot be read any more, a window stays as it is.
void set_windows(const std::vector<TimedWindow>& windows, std::chrono::sys_seconds now);

// Keeps the windows of the configuration in force. One thread (main).
class WindowClock {
  public:
    void follow(std::vector<TimedWindow> windows, std::chrono::sys_seconds now);
    // Call it about ten times a second. Periods begin and end with a minute, so most calls compare one number. A clock that is
    // set, in either direction, counts at once.
    void look(std::chrono::sys_seconds now);

  private:
    std::vector<TimedWindow> windows_;
    std::optional<std::chrono::sys_time<std::chrono::minutes>> looked_;
};

}  // namespace steer::build
