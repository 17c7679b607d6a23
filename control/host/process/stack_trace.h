// The stack of another thread of this process, as text for the log.
//
// The thread takes its own addresses in a signal handler, which neither allocates nor locks. Names are looked up by the caller:
// of shared libraries by the dynamic linker, of this program by the symbols in its file. A stripped program has none; then
// `addr2line -Cfe` of a build of the same version translates the offsets.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace steer {

// Installs the handler. Before the first stack_of(); more calls do nothing.
void prepare_stack_traces();

// The frames of thread `tid`, the innermost first: "#0 steerdnsd+0x1234 steer::Worker::run()". If the thread does not
// handle the signal in time, one line says in which state it is. One caller at a time.
std::vector<std::string> stack_of(pid_t tid, std::chrono::milliseconds patience);

// The addresses of the last trace, straight to a descriptor. In a signal handler, too.
void write_frames(int descriptor) noexcept;

}  // namespace steer
