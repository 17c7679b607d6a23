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
    updated_.reset();
    update(now);
}

void WindowClock::update(std::chrono::sys_seconds now) {
    const auto minute = std::chrono::floor<std::chrono::minutes>(now);
    if (updated_ == minute) return;
    updated_ = minute;
    set_windows(windows_, now);
}

}  // namespace steer::build
