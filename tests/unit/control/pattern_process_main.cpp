// The test program is also the compile process that it starts.
#define BOOST_TEST_NO_MAIN
#define BOOST_TEST_ALTERNATIVE_INIT_API
#include <boost/test/unit_test.hpp>
#include <string_view>

#include "control/program/build/pattern_process.h"

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == steer::build::kCompilePatterns)
        return steer::build::run_pattern_process();
    return boost::unit_test::unit_test_main([] { return true; }, argc, argv);
}
