#include "control/sources/fetch/schedule.h"

#include <boost/test/unit_test.hpp>
#include <vector>

using steer::fetch::Schedule;

BOOST_AUTO_TEST_SUITE(schedule)

BOOST_AUTO_TEST_CASE(a_list_is_fetched_at_once_and_then_by_its_interval) {
    Schedule schedule(14'400, 1'000);
    BOOST_TEST(schedule.is_due(1'000));
    schedule.went_well(1'003, 0.5);
    BOOST_TEST(!schedule.is_due(1'003 + 14'399));
    BOOST_TEST(schedule.is_due(1'003 + 14'400));
}

BOOST_AUTO_TEST_CASE(the_interval_varies_by_a_tenth) {
    for (const auto& [chance, wait] : {std::pair{0.0, 900U}, {0.5, 1'000U}, {1.0, 1'100U}}) {
        Schedule schedule(1'000, 0);
        schedule.went_well(50, chance);
        BOOST_TEST(schedule.due_s() == 50U + wait);
    }
}

BOOST_AUTO_TEST_CASE(each_failure_doubles_the_wait) {
    const auto waits = [](bool has_copy) {
        Schedule schedule(1'000, 0);
        std::vector<std::uint64_t> all;
        std::uint64_t now = 0;
        for (int i = 0; i < 8; ++i) {
            schedule.failed(now, has_copy, 0.5);
            all.push_back(schedule.due_s() - now);
            now = schedule.due_s();
        }
        return all;
    };
    const std::vector<std::uint64_t> with{60, 120, 240, 480, 960, 1'000, 1'000, 1'000},
        without{10, 20, 40, 80, 160, 320, 640, 1'000};
    BOOST_TEST(waits(true) == with, boost::test_tools::per_element());
    BOOST_TEST(waits(false) == without, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_success_resets_the_wait) {
    Schedule schedule(1'000, 0);
    for (int i = 0; i < 40; ++i)
        schedule.failed(0, true, 0.5);
    BOOST_TEST(schedule.failures() == 40U);
    schedule.went_well(0, 0.5);
    schedule.failed(0, true, 0.5);
    BOOST_TEST(schedule.due_s() == 60U);
}

BOOST_AUTO_TEST_CASE(a_changed_interval_is_used_at_once) {
    Schedule schedule(14'400, 0);
    schedule.went_well(0, 0.5);
    schedule.set_every(60, 100);
    BOOST_TEST(schedule.due_s() == 160U);
    schedule.set_every(14'400, 100);
    BOOST_TEST(schedule.due_s() == 160U);
    schedule.now(120);
    BOOST_TEST(schedule.is_due(120));
}

BOOST_AUTO_TEST_SUITE_END()
