#define BOOST_TEST_MODULE rule_preview
#include <boost/test/unit_test.hpp>
