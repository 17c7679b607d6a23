#define BOOST_TEST_MODULE mdns
#include <boost/test/unit_test.hpp>
