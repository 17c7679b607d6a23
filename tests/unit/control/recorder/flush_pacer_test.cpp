#include "control/observe/recorder/flush_pacer.h"

#include <boost/test/unit_test.hpp>

namespace steer::recorder {

BOOST_AUTO_TEST_CASE(only_a_writer_that_was_too_slow_is_left_alone_for_a_while) {
    FlushPacer pacer;
    BOOST_TEST(pacer.is_due(0));
    pacer.ended(true, 1'000);
    BOOST_TEST(pacer.is_due(1'000));
    pacer.ended(false, 2'000);
    BOOST_TEST(!pacer.is_due(2'000));
    BOOST_TEST(!pacer.is_due(1'999 + FlushPacer::kPauseMs));
    BOOST_TEST(pacer.is_due(2'000 + FlushPacer::kPauseMs));
}

}  // namespace steer::recorder
