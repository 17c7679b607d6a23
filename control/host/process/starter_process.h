// The process of a Starter, from fork(2) on.
//
// It keeps neither descriptors nor variables of the process that it was: its environment, and that
// of its programs, is PATH, LANG, and TZ if it is set (options of sanitizers in such builds).
#pragma once

#include <vector>

#include "control/host/process/starter.h"
#include "control/host/process/thread_kind.h"
#include "dataplane/port/descriptor.h"

namespace steer {

// Ends the process when the daemon has closed its end of the socket.
[[noreturn]] void run_starter(Descriptor socket, const std::vector<Starter::Program>& programs,
                              ThreadKind kind, const char* name);

}  // namespace steer
