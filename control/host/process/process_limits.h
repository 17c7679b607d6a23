// The process limits that a start needs. They are checked before anything is created, so that a
// missing resource is reported with its remedy. (DPDK ends the process if it lacks one of these.)
// Raises the limit of descriptors as far as possible.
//
// Cost: creates the requested number of threads, less than a millisecond each.
#pragma once

#include <string_view>
#include <system_error>

#include "matchers/result.h"

namespace steer {

// Checks descriptors for one port and worker, and `threads` threads at a time.
Result<void> check_process_limits(unsigned threads);

// The error for a thread that could not be created.
Error no_thread(const std::system_error& error);
// The error for std::bad_alloc. `to_do`: "to read and build it", or empty.
Error no_memory(std::string_view to_do);

}  // namespace steer
