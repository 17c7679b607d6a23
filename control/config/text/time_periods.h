// The periods of a `time` matcher, in its time zone.
//
// A window contains its start, but not its end. If the end is not later than the start, it is on
// the next day. Days are those on which the window starts. Times that the clock skips in spring
// never happen; times that it repeats in autumn count both times. Pure.
#pragma once

#include <chrono>
#include <string>

#include "control/config/settings/matcher_settings.h"
#include "matchers/result.h"

namespace steer::config {

// Error: there is no such time zone.
Result<bool> is_within(const TimeMatch& match, std::chrono::sys_seconds now);

// One line, equal only for equal periods: "09:00-18:00 mon,tue; days 1,15; Asia/Shanghai".
std::string text_of(const TimeMatch& match);

inline constexpr std::string_view kDaysOfWeek[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
// "09:30".
std::string clock_text(unsigned minute);

}  // namespace steer::config
