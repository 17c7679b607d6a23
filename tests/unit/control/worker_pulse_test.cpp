// Workers that turn, that sleep, and that are stuck.
#include "control/health/worker_pulse.h"

#include <boost/test/unit_test.hpp>
#include <string>

using steer::WorkerPulse;

BOOST_AUTO_TEST_SUITE(worker_pulse)

BOOST_AUTO_TEST_CASE(a_worker_that_stops_is_named_and_one_that_goes_on_is_not) {
    WorkerPulse pulse;
    constexpr std::uint64_t kStopsMs = 20'000;
    for (std::uint64_t now = 1'000; now <= 60'000; now += 1'000) {
        const std::uint64_t second = now / 1'000;
        pulse.see(0, {second, 7}, now);  // busy: never sleeps
        pulse.see(1, {0, second}, now);  // idle: is woken, sleeps again
        pulse.see(2, now < kStopsMs ? WorkerPulse::Beat{second, 3} : WorkerPulse::Beat{19, 3}, now);
        const std::string trouble = pulse.trouble(now);
        if (now < kStopsMs - 1'000 + WorkerPulse::kPatienceMs) {
            BOOST_TEST(trouble.empty(), trouble);
        } else {
            BOOST_TEST(trouble ==
                       "worker 2 has been stuck for " + std::to_string(second - 19) + " s");
        }
    }
    pulse.see(2, {0, 4}, 61'000);
    BOOST_TEST(pulse.trouble(61'000).empty() == true);
}

BOOST_AUTO_TEST_CASE(a_worker_that_never_began_is_named) {
    WorkerPulse pulse;
    pulse.see(0, {}, 1'000);
    pulse.see(1, {}, 1'000);
    BOOST_TEST(pulse.trouble(5'999).empty());
    BOOST_TEST(pulse.trouble(6'000) ==
               "worker 0 has been stuck for 5 s, worker 1 has been stuck for 5 s");
}

BOOST_AUTO_TEST_SUITE_END()
