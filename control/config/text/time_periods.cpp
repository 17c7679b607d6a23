#include "control/config/text/time_periods.h"

#include <date/tz.h>

#include <algorithm>
#include <string_view>

#include "control/config/text/time_zone.h"

namespace steer::config {
namespace {

using CalendarDays = std::chrono::duration<int, std::ratio<86'400>>;

struct LocalDay {
    unsigned weekday = 0;   // 0: Monday
    unsigned monthday = 1;  // from 1
};

bool has_day(const TimePeriod& period, const LocalDay& day) {
    return (period.weekdays == 0 || (period.weekdays >> day.weekday & 1U) != 0) &&
           (period.monthdays == 0 || (period.monthdays >> day.monthday & 1U) != 0);
}

bool is_within(const TimePeriod& period, unsigned minute, const LocalDay& today,
               const LocalDay& yesterday) {
    if (period.is_all_day()) return has_day(period, today);
    if (period.start_min < period.end_min)
        return minute >= period.start_min && minute < period.end_min && has_day(period, today);
    if (minute >= period.start_min) return has_day(period, today);
    return minute < period.end_min && has_day(period, yesterday);
}

// The numbers of the bits that are set, as `name` has them: "1,15".
template <class Name>
std::string bits_text(std::uint32_t bits, Name name) {
    std::string out;
    for (unsigned i = 0; i < 32; ++i) {
        if ((bits >> i & 1U) == 0) continue;
        if (!out.empty()) out += ",";
        out += name(i);
    }
    return out;
}

std::string text_of_period(const TimePeriod& period) {
    std::string out;
    const auto add = [&out](const std::string& part) { out += (out.empty() ? "" : " ") + part; };
    if (!period.is_all_day()) add(clock_text(period.start_min) + "-" + clock_text(period.end_min));
    if (period.weekdays != 0)
        add(bits_text(period.weekdays, [](unsigned i) { return std::string(kDaysOfWeek[i]); }));
    if (period.monthdays != 0)
        add("days " + bits_text(period.monthdays, [](unsigned i) { return std::to_string(i); }));
    return out;
}

}  // namespace

Result<bool> is_within(const TimeMatch& match, std::chrono::sys_seconds now) {
    const auto zone = zone_of(match.timezone);
    if (!zone) return zone.error();
    const auto local = (*zone)->to_local(now);
    const auto midnight = date::floor<CalendarDays>(local);
    const auto minute = static_cast<unsigned>(
        std::chrono::duration_cast<std::chrono::minutes>(local - midnight).count());
    const auto day_of = [](const auto& day) {
        return LocalDay{date::weekday{day}.iso_encoding() - 1,
                        unsigned{date::year_month_day{day}.day()}};
    };
    const LocalDay today = day_of(midnight), yesterday = day_of(midnight - CalendarDays(1));
    return std::ranges::any_of(match.periods, [&](const TimePeriod& period) {
        return is_within(period, minute, today, yesterday);
    });
}

std::string text_of(const TimeMatch& match) {
    std::string out;
    for (const TimePeriod& period : match.periods)
        out += (out.empty() ? "" : "; ") + text_of_period(period);
    if (!match.timezone.empty()) out += "; " + match.timezone;
    return out;
}

std::string clock_text(unsigned minute) {
    const auto two = [](unsigned n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    return two(minute / 60) + ":" + two(minute % 60);
}

}  // namespace steer::config
