// The filter of a program from its first instruction on, which lets it execute no other program.
//
// The new process filters itself before its execve(), which the kernel then reports to a listener.
// It sends the listener to its starter. The starter lets the call pass, and closes the listener
// once the program runs. From then on the kernel itself refuses each execve() of the program, its
// threads and its children (ENOSYS): nothing is left that could be taken over to allow one.
#pragma once

#include "control/host/process/thread_kind.h"
#include "dataplane/port/descriptor.h"

namespace steer {

struct ProgramFilter {
    Descriptor listener;
    // Why there is no listener, so that the program may execute others; 0: there is one. EBUSY:
    // another program follows the calls of this process (some containers).
    int error = 0;
};

// Filters this process, which has one thread, for the program that it executes next. `kind`:
// rules that execute once. `listens` false: as if there were no listener, for ENOSYS.
ProgramFilter filter_program_to_come(ThreadKind kind, bool listens);

}  // namespace steer
