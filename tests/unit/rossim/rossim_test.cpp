#define BOOST_TEST_MODULE rossim
#include <boost/test/unit_test.hpp>
