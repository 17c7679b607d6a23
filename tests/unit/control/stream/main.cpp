#define BOOST_TEST_MODULE stream
#include <boost/test/unit_test.hpp>
#include <csignal>

#include "support/eal_fixture.h"

using steer::test::EalFixture;
// As in the daemon: TLS writes to sockets whose peer has closed.
struct NoPipeSignal {
    NoPipeSignal() { (void)std::signal(SIGPIPE, SIG_IGN); }
};

BOOST_TEST_GLOBAL_FIXTURE(EalFixture);
BOOST_TEST_GLOBAL_FIXTURE(NoPipeSignal);
