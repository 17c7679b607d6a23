#include "control/program/build/time_windows.h"

#include <utility>

#include "control/config/text/time_periods.h"

namespace steer::build {

void set_windows(const std::vector<TimedWindow>& windows, std::chrono::sys_seconds now) {
    for (const TimedWindow& timed : windows) {
        if (const auto within = config::is_within(timed.periods, now)) timed.window->set(*within);
    }
}

void WindowClock::follow(std::vector<TimedWindow> windows, std::chrono::sys_seconds now) {
    windows_ = std::move(windows);
    looked_.reset();
    look(now);
}

void WindowClock::look(std::chrono::sys_seconds now) {
    const auto minute = std::chrono::floor<std::chrono::minutes>(now);
    if (looked_ == minute) return;
    looked_ = minute;
    set_windows(windows_, now);
}

}  // namespace steer::build
