// Tells Boost.Test that an Outcome cannot be printed.
#pragma once

#include <boost/test/unit_test.hpp>

#include "control/streams/fetch/fetch.h"

BOOST_TEST_DONT_PRINT_LOG_VALUE(steer::fetch::Outcome)
