#include "control/sources/tasks/job_timer.h"

#include <boost/test/unit_test.hpp>

using steer::config::CronTime;
using steer::tasks::Clocks;
using steer::tasks::JobTimer;

BOOST_AUTO_TEST_SUITE(job_timer)

namespace {

constexpr std::int64_t kHour = 3600, kDay = 24 * kHour;

Clocks at(std::int64_t wall_s, std::uint64_t steady_s = 0) {
    return {CronTime::Moment(std::chrono::seconds(wall_s)), steady_s};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_job_runs_by_its_interval) {
    JobTimer timer(60, at(0, 1'000));
    BOOST_TEST(!timer.take_due(at(0, 1'059)));
    BOOST_TEST(timer.take_due(at(0, 1'060)));
    BOOST_TEST(!timer.take_due(at(0, 1'060)));
    BOOST_TEST(!timer.take_due(at(0, 1'119)));
    // However late: once, and then in time again.
    BOOST_TEST(timer.take_due(at(0, 1'500)));
    BOOST_TEST(!timer.take_due(at(0, 1'539)));
    BOOST_TEST(timer.take_due(at(0, 1'540)));
}

BOOST_AUTO_TEST_CASE(a_job_runs_by_its_schedule) {
    JobTimer timer(*CronTime::parse("0 * * * *"), "UTC", at(10 * kDay + 5));
    BOOST_TEST(!timer.take_due(at(10 * kDay + kHour - 1)));
    BOOST_TEST(timer.take_due(at(10 * kDay + kHour)));
    BOOST_TEST(!timer.take_due(at(10 * kDay + kHour)));
    BOOST_TEST(timer.take_due(at(10 * kDay + 7 * kHour + 1)), "late, and once");
    BOOST_TEST(!timer.take_due(at(10 * kDay + 8 * kHour - 1)));
    BOOST_TEST(timer.take_due(at(10 * kDay + 8 * kHour)));
}

BOOST_AUTO_TEST_CASE(a_run_is_repeated_only_when_the_clock_goes_back_to_another_day) {
    JobTimer timer(*CronTime::parse("0 0 1 * *"), "UTC", at(30 * kDay));  // 31 January 1970
    BOOST_TEST(timer.take_due(at(31 * kDay)));
    BOOST_TEST(!timer.take_due(at(31 * kDay - kHour)), "put back by an hour");
    BOOST_TEST(!timer.take_due(at(31 * kDay + 5)), "nothing is done twice");
    BOOST_TEST(!timer.take_due(at(20 * kDay)), "put back to another day");
    BOOST_TEST(timer.take_due(at(31 * kDay)), "that comes again");
    BOOST_TEST(timer.take_due(at(400 * kDay)), "put forward: once");
    BOOST_TEST(!timer.take_due(at(400 * kDay + 5)));
}

BOOST_AUTO_TEST_SUITE_END()
