#define BOOST_TEST_MODULE port
#include <boost/test/unit_test.hpp>

#include "support/eal_fixture.h"

using steer::test::EalFixture;
BOOST_GLOBAL_FIXTURE(EalFixture);
