#define BOOST_TEST_MODULE quic
#include <boost/test/unit_test.hpp>
