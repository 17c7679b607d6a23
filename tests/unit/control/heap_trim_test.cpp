// Memory is given back when a crowd has gone, not while it is there, and once more when all of its memory is free.
#include "control/host/process/heap_trim.h"

#include <boost/test/unit_test.hpp>

using steer::HeapTrim;

namespace {

constexpr std::size_t operator""_crowds(unsigned long long count) {
    return static_cast<std::size_t>(count) * HeapTrim::kCrowd;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(heap_trim)

BOOST_AUTO_TEST_CASE(memory_is_trimmed_after_many_objects_were_freed) {
    HeapTrim trim;
    BOOST_TEST(!trim.is_due(0, 0));
    BOOST_TEST(!trim.is_due(8_crowds, 100));
    BOOST_TEST(!trim.is_due(2_crowds + 1, 200));
    BOOST_TEST(trim.is_due(2_crowds, 300));
    BOOST_TEST(!trim.is_due(0, 400));
    BOOST_TEST(trim.is_due(0, 400 + HeapTrim::kEveryMs));   // the two were crowds as well
    BOOST_TEST(trim.is_due(HeapTrim::kCrowd - 1, 30'000));  // once more
    BOOST_TEST(!trim.is_due(0, 50'000));
}

// Counted as closed before their memory is free.
BOOST_AUTO_TEST_CASE(memory_that_is_freed_late_is_trimmed_once_more) {
    HeapTrim trim;
    BOOST_TEST(!trim.is_due(3_crowds, 0));
    BOOST_TEST(trim.is_due(0, 1'000));
    BOOST_TEST(!trim.is_due(0, 1'000 + HeapTrim::kEveryMs - 1));
    BOOST_TEST(trim.is_due(0, 1'000 + HeapTrim::kEveryMs));
    BOOST_TEST(!trim.is_due(0, 1'000 + 3 * HeapTrim::kEveryMs));
}

BOOST_AUTO_TEST_CASE(memory_is_trimmed_at_most_once_in_a_period) {
    HeapTrim trim;
    BOOST_TEST(!trim.is_due(HeapTrim::kCrowd, 0));
    BOOST_TEST(trim.is_due(0, 100));
    BOOST_TEST(!trim.is_due(HeapTrim::kCrowd, 200));
    BOOST_TEST(!trim.is_due(0, 300));  // so soon
    BOOST_TEST(trim.is_due(0, 100 + HeapTrim::kEveryMs));
    BOOST_TEST(trim.is_due(0, 100 + 3 * HeapTrim::kEveryMs));  // once more
    BOOST_TEST(!trim.is_due(0, 100 + 5 * HeapTrim::kEveryMs));
}

BOOST_AUTO_TEST_SUITE_END()
