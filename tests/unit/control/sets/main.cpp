#define BOOST_TEST_MODULE sets
#include <boost/test/unit_test.hpp>
