#include "control/runtime/ports/wakeup_watch.h"

#include <boost/test/unit_test.hpp>

namespace steer {
namespace {

// Counts of a queue with so many wake-ups without work a second, for so long, from `now_ms` on.
void pass(WakeupWatch& watch, std::size_t queue, std::uint64_t per_second, std::uint64_t seconds,
          std::uint64_t& now_ms, std::uint64_t& count) {
    for (std::uint64_t tenth = 0; tenth < 10 * seconds; ++tenth) {
        now_ms += 100;
        count += per_second / 10;
        watch.check(now_ms, queue, count);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(wakeup_watch)

BOOST_AUTO_TEST_CASE(a_queue_is_restless_after_ten_seconds_and_quiet_after_one) {
    WakeupWatch watch;
    std::uint64_t now_ms = 5'000, count = 0;
    watch.check(now_ms, 1, count);
    pass(watch, 1, 20'000, 9, now_ms, count);
    BOOST_TEST(watch.restless_per_second(1) == 0U);
    pass(watch, 1, 20'000, 1, now_ms, count);
    BOOST_TEST(watch.restless_per_second(1) == 20'000U);
    BOOST_TEST(watch.restless_per_second(0) == 0U);
    BOOST_TEST(watch.restless_per_second(7) == 0U);
    pass(watch, 1, 100, 1, now_ms, count);
    BOOST_TEST(watch.restless_per_second(1) == 0U);
}

// As many as a queue may have under load, and bursts.
BOOST_AUTO_TEST_CASE(wakeups_up_to_the_limit_and_in_bursts_are_lawful) {
    WakeupWatch watch;
    std::uint64_t now_ms = 0, count = 0;
    watch.check(now_ms, 0, count);
    pass(watch, 0, WakeupWatch::kMostPerSecond, 30, now_ms, count);
    BOOST_TEST(watch.restless_per_second(0) == 0U);
    for (int burst = 0; burst < 5; ++burst) {
        pass(watch, 0, 50'000, 9, now_ms, count);
        pass(watch, 0, 0, 1, now_ms, count);
        BOOST_TEST(watch.restless_per_second(0) == 0U);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
