// What this process may have of what cannot be done without: looked at before a start makes anything, so that what
// lacks is named with what gives it. (DPDK ends the process where it lacks one of these.) The limit of descriptors is
// raised as far as it may be.
//
// Costs: as many threads as are asked for, for less than a millisecond each.
#pragma once

#include <string_view>
#include <system_error>

#include "matchers/result.h"

namespace steer {

// Descriptors for one port and worker, and `threads` threads at one time.
Result<void> check_process_limits(unsigned threads);

// The sentence for a thread that could not be made.
Error no_thread(const std::system_error& error);
// ... and for std::bad_alloc. `to_do`: "to read and build it", or nothing.
Error no_memory(std::string_view to_do);

}  // namespace steer
