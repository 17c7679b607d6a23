// Which round trips overlap with time that a side was without its CPU.
#define BOOST_TEST_MODULE bench_time_away
#include "bench/time_away.h"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>

namespace steer::bench {

void fail(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::abort();
}

BOOST_AUTO_TEST_CASE(a_round_trip_counts_if_it_ends_before_a_gap_or_begins_as_long_after_it) {
    TimeAway away("");
    away.add({100, 110});
    away.settle();
    BOOST_TEST(!away.overlaps({90, 100}));
    BOOST_TEST(away.overlaps({90, 101}));
    BOOST_TEST(away.overlaps({105, 106}));
    BOOST_TEST(away.overlaps({119, 130}));  // it waited for what was due in the gap
    BOOST_TEST(!away.overlaps({120, 130}));
    BOOST_TEST(away.overlaps({0, 1000}));
}

BOOST_AUTO_TEST_CASE(gaps_in_any_order_are_joined_where_they_overlap) {
    TimeAway away("");
    away.add({300, 310});
    away.add({100, 200});
    away.add({150, 160});
    away.settle();
    BOOST_TEST(away.overlaps({290, 295}));
    BOOST_TEST(!away.overlaps({320, 330}));
    BOOST_TEST(!away.overlaps({1, 100}));
}

BOOST_AUTO_TEST_CASE(no_gap_leaves_nothing_out) {
    TimeAway away("");
    away.settle();
    BOOST_TEST(!away.overlaps({0, 1}));
}

BOOST_AUTO_TEST_CASE(a_worker_notes_only_gaps_longer_than_the_generator_asks_for) {
    char path[] = "/tmp/turn_gaps_XXXXXX";
    const int file = ::mkstemp(path);
    BOOST_REQUIRE(file >= 0);
    ::close(file);
    TurnGaps* const gaps = TurnGaps::open(path);
    BOOST_REQUIRE(gaps != nullptr);
    ::unlink(path);
    std::uint64_t last = 1;  // long ago
    gaps->turn(last);
    BOOST_TEST(gaps->count.load() == 0U);  // no generator asked
    gaps->shortest = 1'000'000'000'000;
    std::uint64_t recent = last;
    gaps->turn(recent);
    BOOST_TEST(gaps->count.load() == 0U);
    gaps->shortest = 1;
    std::uint64_t none = 0;
    gaps->turn(none);
    BOOST_TEST(gaps->count.load() == 0U);  // the first turn has none before it
    gaps->turn(last);
    BOOST_REQUIRE(gaps->count.load() == 1U);
    BOOST_TEST(gaps->gaps[0].end == last);
    ::munmap(gaps, sizeof *gaps);
}

}  // namespace steer::bench
