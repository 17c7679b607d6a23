#define BOOST_TEST_MODULE recorder
#include <boost/test/unit_test.hpp>
