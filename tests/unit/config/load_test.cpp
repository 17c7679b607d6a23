// Whole configurations through load(): the examples, the table of bad ones, and what a good one turns into.
#define BOOST_TEST_MODULE config
#include "control/config/load.h"

#include <boost/test/unit_test.hpp>

namespace steer::config {
BOOST_AUTO_TEST_CASE(x) {
    for (const char* f : {"configs/minimal.yaml", "configs/multi_egress.yaml"}) {
        auto o = load(std::string(STEER_SOURCE_ROOT) + "/" + f);
        for (auto& e : o.errors) BOOST_TEST_MESSAGE(e.sentence());
        for (auto& e : o.warnings) BOOST_TEST_MESSAGE("warning: " + e.sentence());
        BOOST_TEST(o.ok());
    }
}
}
