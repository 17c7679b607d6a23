// The windows of `time` matchers (dataplane/policy/time_window.h), set by this machine's clock.
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

// Sets each window to whether `now` is within its periods. If time zones cannot be read, a window
// stays unchanged.
void set_windows(const std::vector<TimedWindow>& windows, std::chrono::sys_seconds now);

// Updates the windows of the present configuration. One thread (main).
class WindowClock {
  public:
    void follow(std::vector<TimedWindow> windows, std::chrono::sys_seconds now);
    // Call it about ten times a second. Periods begin and end at a full minute, so most calls
    // compare one number. A change of the clock, in either direction, has an immediate effect.
    void update(std::chrono::sys_seconds now);

  private:
    std::vector<TimedWindow> windows_;
    std::optional<std::chrono::sys_time<std::chrono::minutes>> updated_;
};

}  // namespace steer::build
