#define BOOST_TEST_MODULE router_lists
#include <boost/test/unit_test.hpp>
