// The stack of another thread of this process, as text for the log.
//
// The thread collects its own addresses in a signal handler, which neither allocates nor locks. The
// caller finds the names: for shared libraries with the dynamic linker, for this program with the
// symbols in its file. A stripped program has none; then `addr2line -Cfe` with a build of the same
// version translates the offsets.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace steer {

// Installs the handler. Call it before the first stack_of(); further calls do nothing.
void prepare_stack_traces();

// The frames of thread `tid`, the innermost first: "#0 steerdnsd+0x1234 steer::Worker::run()". If
// the thread does not handle the signal in time, one line says its state. One caller at a time.
std::vector<std::string> stack_of(pid_t tid, std::chrono::milliseconds patience);

// Writes the addresses of the last trace directly to a descriptor, as long as its reader reads. Also
// works in a signal handler.
void write_frames(int descriptor) noexcept;

}  // namespace steer
