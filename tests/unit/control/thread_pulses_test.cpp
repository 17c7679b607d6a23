// Threads that move, that are stuck, and that cannot move for reasons that are not theirs.
#include "control/observe/health/thread_pulses.h"

#include <boost/test/unit_test.hpp>

using steer::ThreadPulses;

BOOST_AUTO_TEST_SUITE(thread_pulses)

BOOST_AUTO_TEST_CASE(a_thread_is_still_from_its_last_beat_on) {
    ThreadPulses pulses(2);
    for (std::uint64_t beat = 0; beat < 40; ++beat) {
        BOOST_TEST(pulses.see(0, {beat, 0}, 250) == 0U);
        const std::uint64_t still_ms = pulses.see(1, {std::min<std::uint64_t>(beat, 9), 0}, 250);
        BOOST_TEST(still_ms == (beat < 10 ? 0U : (beat - 9) * 250));
    }
    BOOST_TEST(pulses.see(1, {10, 0}, 250) == 0U);
}

BOOST_AUTO_TEST_CASE(the_first_check_judges_nothing) {
    ThreadPulses pulses(1);
    BOOST_TEST(pulses.see(0, {0, 5'000}, 60'000) == 0U);
    BOOST_TEST(pulses.see(0, {0, 5'000}, 250) == 250U);
}

// The machine was suspended, or the whole process was stopped (SIGSTOP, a debugger).
BOOST_AUTO_TEST_CASE(a_pause_of_the_checker_counts_as_half_a_second) {
    ThreadPulses pulses(1);
    pulses.see(0, {7, 0}, 250);
    BOOST_TEST(pulses.see(0, {7, 0}, 3'600'000) == ThreadPulses::kMostStepMs);
}

BOOST_AUTO_TEST_CASE(time_in_which_it_waits_for_a_cpu_does_not_count) {
    ThreadPulses pulses(1);
    pulses.see(0, {7, 100}, 250);
    BOOST_TEST(pulses.see(0, {7, 350}, 250) == 0U);    // all the time
    BOOST_TEST(pulses.see(0, {7, 450}, 250) == 150U);  // a part of it
    BOOST_TEST(pulses.see(0, {7, 9'450}, 250) == 150U);
    BOOST_TEST(pulses.see(0, {7, 0}, 250) == 400U);  // the kernel does not say
}

BOOST_AUTO_TEST_SUITE_END()
