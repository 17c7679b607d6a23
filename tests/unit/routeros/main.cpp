#define BOOST_TEST_MODULE routeros
#include <boost/test/unit_test.hpp>
