// When the periods of a `time` matcher hold: over midnight, by weekday and day of the month, and where the clock is put
// forward and back.
#include "control/config/text/time_periods.h"

#include <date/date.h>

#include <boost/test/unit_test.hpp>
#include <sstream>
#include <string>

using steer::config::is_within;
using steer::config::text_of;
using steer::config::TimeMatch;
using steer::config::TimePeriod;

BOOST_AUTO_TEST_SUITE(time_periods)

namespace {

constexpr std::uint8_t kMonday = 1 << 0, kFriday = 1 << 4, kSaturday = 1 << 5, kSunday = 1 << 6;

constexpr std::uint16_t clock(unsigned hour, unsigned minute = 0) {
    return static_cast<std::uint16_t>(hour * 60 + minute);
}

// `now` in UTC.
bool holds(const TimeMatch& match, const std::string& now) {
    std::istringstream in(now);
    std::chrono::sys_seconds at;
    in >> date::parse("%Y-%m-%d %H:%M:%S", at);
    BOOST_REQUIRE_MESSAGE(!in.fail(), now);
    const auto within = is_within(match, at);
    BOOST_REQUIRE(within);
    return *within;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_window_contains_its_start_and_not_its_end) {
    const TimeMatch work{"UTC", {{clock(9), clock(18, 30)}}};
    BOOST_TEST(!holds(work, "2026-11-26 08:59:59"));
    BOOST_TEST(holds(work, "2026-11-26 09:00:00"));
    BOOST_TEST(holds(work, "2026-11-26 18:29:59"));
    BOOST_TEST(!holds(work, "2026-11-26 18:30:00"));
}

BOOST_AUTO_TEST_CASE(a_window_until_midnight_ends_with_the_day) {
    const TimeMatch evening{"UTC", {{clock(20), clock(0)}}};
    BOOST_TEST(holds(evening, "2026-11-26 23:59:59"));
    BOOST_TEST(!holds(evening, "2026-11-27 00:00:00"));
}

BOOST_AUTO_TEST_CASE(a_window_over_midnight_counts_for_the_day_on_which_it_starts) {
    const TimeMatch night{"UTC", {{clock(22), clock(2), kFriday}}};  // the 27th is a Friday
    BOOST_TEST(!holds(night, "2026-11-26 23:00:00"));
    BOOST_TEST(!holds(night, "2026-11-27 01:00:00"));
    BOOST_TEST(holds(night, "2026-11-27 22:00:00"));
    BOOST_TEST(holds(night, "2026-11-28 01:59:59"));
    BOOST_TEST(!holds(night, "2026-11-28 02:00:00"));
    BOOST_TEST(!holds(night, "2026-11-28 22:00:00"));
}

BOOST_AUTO_TEST_CASE(a_window_over_the_end_of_a_month_has_the_day_of_its_start) {
    const TimeMatch last{"UTC", {{clock(23), clock(1), 0, 1U << 31}}};
    BOOST_TEST(holds(last, "2026-12-31 23:00:00"));
    BOOST_TEST(holds(last, "2027-01-01 00:59:00"));
    // A month without that day never has it.
    BOOST_TEST(!holds(last, "2026-11-30 23:30:00"));
    BOOST_TEST(!holds(last, "2026-12-01 00:30:00"));
}

BOOST_AUTO_TEST_CASE(days_without_a_window_are_whole_days) {
    const TimeMatch weekend{"UTC", {{0, 0, kSaturday | kSunday}}};
    BOOST_TEST(!holds(weekend, "2026-11-27 23:59:59"));
    BOOST_TEST(holds(weekend, "2026-11-28 00:00:00"));
    BOOST_TEST(holds(weekend, "2026-11-29 23:59:59"));
    BOOST_TEST(!holds(weekend, "2026-11-30 00:00:00"));
}

BOOST_AUTO_TEST_CASE(conditions_of_a_period_must_all_fit_and_one_period_is_enough) {
    const TimeMatch match{"UTC", {{clock(9), clock(10), kMonday, 1U << 30}, {0, 0, 0, 1U << 15}}};
    BOOST_TEST(holds(match, "2026-11-30 09:30:00"));   // a Monday, and the 30th
    BOOST_TEST(!holds(match, "2026-11-23 09:30:00"));  // a Monday
    BOOST_TEST(!holds(match, "2026-12-30 09:30:00"));  // the 30th
    BOOST_TEST(holds(match, "2026-11-15 20:00:00"));   // the 15th
}

BOOST_AUTO_TEST_CASE(the_time_zone_decides_about_time_and_day) {
    const TimeMatch monday{"Asia/Shanghai", {{clock(0), clock(8), kMonday}}};  // UTC+8
    BOOST_TEST(!holds(monday, "2026-11-29 15:59:59"));
    BOOST_TEST(holds(monday, "2026-11-29 16:00:00"));
    BOOST_TEST(!holds(monday, "2026-11-30 00:00:00"));
}

BOOST_AUTO_TEST_CASE(a_time_that_the_clock_leaves_out_never_comes) {
    // Berlin, 29 March 2026: 01:59 is followed by 03:00, at 01:00 UTC.
    const TimeMatch left_out{"Europe/Berlin", {{clock(2), clock(3)}}};
    BOOST_TEST(!holds(left_out, "2026-03-29 00:59:59"));
    BOOST_TEST(!holds(left_out, "2026-03-29 01:00:00"));
    BOOST_TEST(holds(left_out, "2026-03-30 00:00:00"));
    const TimeMatch ends_in_it{"Europe/Berlin", {{clock(1), clock(2, 30)}}};
    BOOST_TEST(holds(ends_in_it, "2026-03-29 00:59:59"));
    BOOST_TEST(!holds(ends_in_it, "2026-03-29 01:00:00"));
}

BOOST_AUTO_TEST_CASE(a_time_that_the_clock_repeats_counts_both_times) {
    // Berlin, 25 October 2026: 02:59 is followed by 02:00, at 01:00 UTC.
    const TimeMatch repeated{"Europe/Berlin", {{clock(2), clock(2, 30)}}};
    BOOST_TEST(holds(repeated, "2026-10-25 00:15:00"));
    BOOST_TEST(!holds(repeated, "2026-10-25 00:45:00"));
    BOOST_TEST(holds(repeated, "2026-10-25 01:15:00"));
    BOOST_TEST(!holds(repeated, "2026-10-25 01:45:00"));
}

BOOST_AUTO_TEST_CASE(an_unknown_zone_is_an_error) {
    BOOST_TEST(!is_within({"Europe/Atlantis", {{clock(1), clock(2)}}}, {}).has_value());
    BOOST_TEST(is_within({"", {{clock(1), clock(2)}}}, {}).has_value());
}

BOOST_AUTO_TEST_CASE(the_text_tells_all_periods_apart) {
    BOOST_TEST(text_of(TimeMatch{"", {{clock(9), clock(18, 5)}}}) == "09:00-18:05");
    BOOST_TEST(text_of(TimeMatch{"Europe/Berlin",
                                 {{clock(22), clock(2), kSaturday | kSunday},
                                  {0, 0, 0, 1U << 1 | 1U << 15},
                                  {0, 0, kMonday, 1U << 31}}}) ==
               "22:00-02:00 sat,sun; days 1,15; mon days 31; Europe/Berlin");
}

BOOST_AUTO_TEST_SUITE_END()
