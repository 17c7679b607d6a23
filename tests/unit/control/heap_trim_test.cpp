// Memory is given back when a crowd has gone, not while it is there and not twice for the same.
#include "control/process/heap_trim.h"

#include <boost/test/unit_test.hpp>

using steer::HeapTrim;

BOOST_AUTO_TEST_SUITE(heap_trim)

BOOST_AUTO_TEST_CASE(memory_is_trimmed_after_many_objects_were_freed) {
    HeapTrim trim;
    BOOST_TEST(!trim.is_due(0, 0));
    BOOST_TEST(!trim.is_due(5000, 100));
    BOOST_TEST(!trim.is_due(1251, 200));
    BOOST_TEST(trim.is_due(1250, 300));
    BOOST_TEST(!trim.is_due(0, 400));
    BOOST_TEST(trim.is_due(0, 400 + HeapTrim::kEveryMs));  // the 1250 were a crowd as well
    BOOST_TEST(!trim.is_due(HeapTrim::kCrowd - 1, 30'000));
}

BOOST_AUTO_TEST_CASE(memory_is_trimmed_at_most_once_in_a_period) {
    HeapTrim trim;
    BOOST_TEST(!trim.is_due(HeapTrim::kCrowd, 0));
    BOOST_TEST(trim.is_due(0, 100));
    BOOST_TEST(!trim.is_due(HeapTrim::kCrowd, 200));
    BOOST_TEST(!trim.is_due(0, 300));  // so soon
    BOOST_TEST(trim.is_due(0, 100 + HeapTrim::kEveryMs));
    BOOST_TEST(!trim.is_due(0, 100 + 3 * HeapTrim::kEveryMs));
}

BOOST_AUTO_TEST_SUITE_END()
