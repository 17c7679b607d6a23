#include "control/sources/transfer/refresh_timer.h"

#include <boost/test/unit_test.hpp>

namespace steer::transfer::test {
namespace {

constexpr Soa kSoa{1, 3600, 900, 7200, 300};

}  // namespace

BOOST_AUTO_TEST_SUITE(refresh_timer)

BOOST_AUTO_TEST_CASE(refresh_retry_and_expire_follow_the_soa) {
    RefreshTimer timer(100);
    BOOST_TEST(timer.is_due(100));
    timer.checked(kSoa, 100, 0);
    BOOST_TEST(!timer.is_due(3699));
    BOOST_TEST(timer.is_due(3700));
    timer.failed(3700, 0);
    BOOST_TEST(timer.due_s() == 4600U);
    BOOST_TEST(!timer.is_expired(7299));
    BOOST_TEST(timer.is_expired(7300));
    timer.checked(kSoa, 7300, 1);
    BOOST_TEST(!timer.is_expired(7301));
    BOOST_TEST(timer.due_s() == 7300U + 3240U);
}

BOOST_AUTO_TEST_CASE(without_a_zone_it_backs_off_to_ten_minutes) {
    RefreshTimer timer(0);
    std::uint64_t now = 0;
    for (const std::uint64_t wait : {10U, 20U, 40U, 80U, 160U, 320U, 600U, 600U}) {
        timer.failed(now, 0);
        BOOST_TEST(timer.due_s() == now + wait);
        now = timer.due_s();
    }
    BOOST_TEST(!timer.is_expired(now));
}

BOOST_AUTO_TEST_CASE(limits_bound_the_timers) {
    RefreshTimer timer(0);
    timer.set_limits({60, 600});
    timer.checked({1, 1, 1, 7200, 300}, 0, 0);
    BOOST_TEST(timer.due_s() == 60U);
    timer.checked({1, 86'400, 1, 7200, 300}, 0, 0);
    BOOST_TEST(timer.due_s() == 600U);
}

BOOST_AUTO_TEST_CASE(notify_makes_it_due_at_most_once_a_second) {
    RefreshTimer timer(0);
    timer.checked(kSoa, 100, 0);
    timer.notify(100);
    BOOST_TEST(!timer.is_due(100));
    BOOST_TEST(timer.is_due(101));
    timer.begin();
    timer.notify(101);  // during the check
    timer.checked(kSoa, 105, 0);
    BOOST_TEST(timer.due_s() == 106U);
    timer.begin();
    timer.checked(kSoa, 106, 0);
    BOOST_TEST(timer.due_s() == 106U + 3600U);
}

BOOST_AUTO_TEST_CASE(notify_after_a_failed_check_waits_a_second_too) {
    RefreshTimer timer(0);
    timer.failed(100, 0);
    timer.notify(100);
    BOOST_TEST(!timer.is_due(100));
    BOOST_TEST(timer.is_due(101));
}

BOOST_AUTO_TEST_CASE(a_zone_does_not_expire_between_two_checks) {
    RefreshTimer timer(0);
    timer.set_limits({60, 600});
    timer.checked({1, 600, 60, 0, 300}, 0, 0);
    BOOST_TEST(timer.due_s() == 600U);
    BOOST_TEST(!timer.is_expired(659));
    BOOST_TEST(timer.is_expired(660));
}

BOOST_AUTO_TEST_CASE(a_kept_zone_is_checked_at_once_and_expires_by_its_age) {
    RefreshTimer timer(0);
    timer.restored(kSoa, 7000, 50);
    BOOST_TEST(timer.is_due(50));
    BOOST_TEST(!timer.is_expired(249));
    BOOST_TEST(timer.is_expired(250));
    timer.restored(kSoa, 8000, 50);
    BOOST_TEST(timer.is_expired(50));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::transfer::test
