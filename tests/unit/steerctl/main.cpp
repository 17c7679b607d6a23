#define BOOST_TEST_MODULE steerctl
#include <boost/test/unit_test.hpp>
