#define BOOST_TEST_MODULE control_cache
#include <boost/test/unit_test.hpp>

#include "support/eal_fixture.h"

using steer::test::EalFixture;
BOOST_TEST_GLOBAL_FIXTURE(EalFixture);
