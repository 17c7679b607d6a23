// Helper threads that work, that are stuck, and that end.
#include "control/observe/health/helper_watch.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "control/host/process/background.h"

using steer::HelperWatch;
using steer::HelperWork;

namespace {

constexpr std::uint64_t kStepMs = 500;

HelperWatch::Sight sight(std::uint64_t serial, std::uint64_t ran_ns, std::uint64_t waited_ms = 0) {
    return {{"reload", 7, serial}, ran_ns, waited_ms};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(helper_watch)

BOOST_AUTO_TEST_CASE(work_without_cpu_time_is_stuck_and_reported_once) {
    HelperWatch watch;
    BOOST_TEST(watch.check({sight(1, 100)}, kStepMs).empty());
    for (std::uint64_t ms = kStepMs; ms < HelperWatch::kPatienceMs; ms += kStepMs)
        BOOST_TEST(watch.check({sight(1, 100)}, kStepMs).empty());
    BOOST_TEST(watch.stuck().empty());
    const auto found = watch.check({sight(1, 100)}, kStepMs);
    BOOST_REQUIRE(found.size() == 1U);
    BOOST_TEST(found[0].tid == 7);
    BOOST_TEST(watch.check({sight(1, 100)}, kStepMs).empty());
    BOOST_REQUIRE(watch.stuck().size() == 1U);
    BOOST_TEST(watch.stuck()[0].sentence() == "helper reload has been stuck for 60 s");
    // It moves again, or ends.
    BOOST_TEST(watch.check({sight(1, 101)}, kStepMs).empty());
    BOOST_TEST(watch.stuck().empty());
}

BOOST_AUTO_TEST_CASE(the_time_of_the_trace_is_no_sign_of_life) {
    HelperWatch watch;
    for (std::uint64_t ms = 0; ms <= HelperWatch::kPatienceMs; ms += kStepMs)
        watch.check({sight(1, 100)}, kStepMs);
    watch.stack_was_taken(sight(1, 150));
    watch.stack_was_taken(sight(2, 150));  // it has ended
    BOOST_TEST(watch.check({sight(1, 150)}, kStepMs).empty());
    BOOST_REQUIRE(watch.stuck().size() == 1U);
    BOOST_TEST(watch.stuck()[0].still_ms == HelperWatch::kPatienceMs + kStepMs);
}

BOOST_AUTO_TEST_CASE(other_work_of_the_same_name_begins_again) {
    HelperWatch watch;
    for (std::uint64_t ms = 0; ms <= HelperWatch::kPatienceMs; ms += kStepMs)
        watch.check({sight(1, 100)}, kStepMs);
    BOOST_TEST(watch.stuck().size() == 1U);
    BOOST_TEST(watch.check({sight(2, 100)}, kStepMs).empty());
    BOOST_TEST(watch.stuck().empty());
}

BOOST_AUTO_TEST_CASE(neither_a_pause_of_all_nor_the_wait_for_a_cpu_counts) {
    HelperWatch watch;
    watch.check({sight(1, 100)}, kStepMs);
    BOOST_TEST(watch.check({sight(1, 100)}, 3'600'000).empty());
    for (std::uint64_t ms = 0; ms <= 2 * HelperWatch::kPatienceMs; ms += kStepMs)
        BOOST_TEST(watch.check({sight(1, 100, ms)}, kStepMs).empty());
}

BOOST_AUTO_TEST_CASE(work_is_listed_while_it_runs) {
    const auto count = [] {
        return std::ranges::count(HelperWork::running(), "test", &HelperWork::Running::name);
    };
    {
        const HelperWork one("test"), two("test");
        BOOST_TEST(count() == 2);
        const auto all = HelperWork::running();
        BOOST_TEST(all.back().tid == ::gettid());
        BOOST_TEST(all.front().serial != all.back().serial);
    }
    BOOST_TEST(count() == 0);
    std::int64_t within = 0;
    {
        steer::BackgroundThread thread("test");
        BOOST_REQUIRE(thread.run([&] { within = count(); }).has_value());
    }
    BOOST_TEST(within == 1);
    BOOST_TEST(count() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
