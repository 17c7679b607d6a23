#define BOOST_TEST_MODULE ports
#include <boost/test/unit_test.hpp>
