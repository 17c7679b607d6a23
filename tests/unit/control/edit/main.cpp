#define BOOST_TEST_MODULE edit
#include <boost/test/unit_test.hpp>
