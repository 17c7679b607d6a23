// Times of crontab(5), and when they come next, also where the clock is put forward and back.
#include "control/config/text/cron_time.h"

#include <date/date.h>

#include <boost/test/unit_test.hpp>
#include <sstream>
#include <string>

#include "control/config/text/time_zone.h"

using steer::config::check_time_zone;
using steer::config::CronTime;

BOOST_AUTO_TEST_SUITE(cron_time)

namespace {

CronTime::Moment moment(const std::string& text) {
    std::istringstream in(text);
    CronTime::Moment out;
    in >> date::parse("%Y-%m-%d %H:%M:%S", out);
    BOOST_REQUIRE_MESSAGE(!in.fail(), text);
    return out;
}

std::string next(const std::string& cron, const std::string& after, const char* zone = "UTC") {
    const auto time = CronTime::parse(cron);
    BOOST_REQUIRE_MESSAGE(time, cron);
    const auto at = time->next(moment(after), zone);
    BOOST_REQUIRE(at);
    return *at ? date::format("%Y-%m-%d %H:%M:%S", **at) : "never";
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_field_is_parsed) {
    const std::string now = "2026-11-20 23:43:30";  // a Friday
    BOOST_TEST(next("* * * * *", now) == "2026-11-20 23:44:00");
    BOOST_TEST(next("15 3 * * *", now) == "2026-11-21 03:15:00");
    BOOST_TEST(next("*/10 * * * *", now) == "2026-11-20 23:50:00");
    BOOST_TEST(next("5/20 * * * *", now) == "2026-11-20 23:45:00");
    BOOST_TEST(next("1-9/4,50 * * * *", now) == "2026-11-20 23:50:00");
    BOOST_TEST(next("1-9/4,50 * * * *", "2026-11-20 23:50:00") == "2026-11-21 00:01:00");
    BOOST_TEST(next("0 12 1 * *", now) == "2026-12-01 12:00:00");
    BOOST_TEST(next("0 12 * Feb *", now) == "2027-02-01 12:00:00");
    BOOST_TEST(next("0 12 * * Mon-WED", now) == "2026-11-23 12:00:00");
    BOOST_TEST(next("0 12 * * 0", now) == "2026-11-22 12:00:00");
    BOOST_TEST(next("0 12 * * 7", now) == "2026-11-22 12:00:00");
    BOOST_TEST(next("0 12 * * 5-7", now) == "2026-11-21 12:00:00");
    BOOST_TEST(next("0 0 29 2 *", now) == "2028-02-29 00:00:00");
    BOOST_TEST(next("0 0 29 2 *", "2096-03-01 00:00:00") == "2104-02-29 00:00:00");
    BOOST_TEST(next("0 0 30 2 *", now) == "never");
    BOOST_TEST(next("0 0 ? * ?", now) == "2026-11-21 00:00:00");
}

// Later, never the same moment again.
BOOST_AUTO_TEST_CASE(the_next_time_is_strictly_later) {
    BOOST_TEST(next("15 3 * * *", "2026-11-21 03:15:00") == "2026-11-22 03:15:00");
    BOOST_TEST(next("15 3 * * *", "2026-11-21 03:14:59") == "2026-11-21 03:15:00");
    BOOST_TEST(next("* * * * *", "2026-12-31 23:59:00") == "2027-01-01 00:00:00");
}

BOOST_AUTO_TEST_CASE(either_day_of_month_or_day_of_week_matches) {
    // Both written: either. One with a star: both.
    BOOST_TEST(next("0 0 13 * 5", "2026-11-14 00:00:00") == "2026-11-20 00:00:00");
    BOOST_TEST(next("0 0 13 * 5", "2026-12-12 00:00:00") == "2026-12-13 00:00:00");
    BOOST_TEST(next("0 0 */2 * 1", "2026-11-20 00:00:00") == "2026-11-23 00:00:00");
}

BOOST_AUTO_TEST_CASE(names_of_months_and_days_are_parsed) {
    const std::string now = "2026-11-20 23:43:30";
    BOOST_TEST(next("@hourly", now) == "2026-11-21 00:00:00");
    BOOST_TEST(next("@daily", now) == "2026-11-21 00:00:00");
    BOOST_TEST(next("@Midnight", now) == "2026-11-21 00:00:00");
    BOOST_TEST(next("@weekly", now) == "2026-11-22 00:00:00");
    BOOST_TEST(next("@monthly", now) == "2026-12-01 00:00:00");
    BOOST_TEST(next("@yearly", now) == "2027-01-01 00:00:00");
    BOOST_TEST(next("@annually", now) == "2027-01-01 00:00:00");
}

BOOST_AUTO_TEST_CASE(invalid_schedules_are_refused) {
    for (const char* text : {"",           "* * * *",         "* * * * * *",
                             "60 * * * *", "* 24 * * *",      "* * 0 * *",
                             "* * 32 * *", "* * * 0 *",       "* * * 13 *",
                             "* * * * 8",  "5-1 * * * *",     "*/0 * * * *",
                             "a * * * *",  "-5 * * * *",      "1,, * * * *",
                             "1, * * * *", "*/ * * * *",      "*-5 * * * *",
                             "@reboot",    "* * * jan-foo *", "1.5 * * * *",
                             "007 * * * *"}) {
        BOOST_TEST(!CronTime::parse(text), text);
    }
    const auto wrong = CronTime::parse("0 25 * * *");
    BOOST_TEST(wrong.error().text.find("the hour is \"25\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_schedule_may_have_a_time_zone) {
    BOOST_TEST(next("15 3 * * *", "2026-11-20 18:00:00", "Asia/Shanghai") == "2026-11-20 19:15:00");
    BOOST_TEST(next("0 0 * * *", "2026-11-20 23:43:30", "America/Los_Angeles") ==
               "2026-11-21 08:00:00");
    BOOST_TEST(check_time_zone("Europe/Berlin").has_value());
    BOOST_TEST(check_time_zone("").has_value());
    BOOST_TEST(!check_time_zone("Europe/Atlantis").has_value());
}

// Berlin 2026: on 29 March 02:00 becomes 03:00 (01:00 UTC); on 25 October 03:00 becomes 02:00 (01:00 UTC).
BOOST_AUTO_TEST_CASE(a_time_skipped_by_summer_time_runs_once) {
    const char* const zone = "Europe/Berlin";
    BOOST_TEST(next("30 2 * * *", "2026-03-28 12:00:00", zone) == "2026-03-29 01:00:00");
    BOOST_TEST(next("30 2 * * *", "2026-03-29 01:00:00", zone) == "2026-03-30 00:30:00");
    BOOST_TEST(next("30 * * * *", "2026-03-29 00:30:00", zone) == "2026-03-29 01:30:00");
    BOOST_TEST(next("30 3 * * *", "2026-03-29 00:00:00", zone) == "2026-03-29 01:30:00");
}

BOOST_AUTO_TEST_CASE(a_time_repeated_by_winter_time_runs_once) {
    const char* const zone = "Europe/Berlin";
    BOOST_TEST(next("30 2 * * *", "2026-10-24 12:00:00", zone) == "2026-10-25 00:30:00");
    BOOST_TEST(next("30 2 * * *", "2026-10-25 00:30:00", zone) == "2026-10-26 01:30:00");
    BOOST_TEST(next("30 * * * *", "2026-10-25 00:30:00", zone) == "2026-10-25 01:30:00");
}

BOOST_AUTO_TEST_SUITE_END()
