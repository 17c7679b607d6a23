// The main() of a program that the daemon starts as a child (child_process.h).
//
// Exit codes: 0 the daemon closed the socket, 1 an exception, 2 it was started by hand, 3 the
// daemon sent what is not understood.
#pragma once

#include <span>

namespace steer {

enum class ChildEnd : int { closed = 0, failed = 1, by_hand = 2, not_understood = 3 };

// The child's end of the socket.
inline constexpr int kChildSocketFd = 3;

// Signals to the group (terminal, service manager) are for the daemon, whose end is the end of the
// socket.
void leave_signals_to_daemon();

// Makes this process the child: no new privileges, no capability except these (CAP_... of
// <linux/capability.h>), no signal of the daemon's, and an end when the daemon's main thread ends.
void become_child(const char* name, std::span<const int> capabilities = {});

// Answers `--version`, and refuses a start by hand; else calls `serve`. Returns the exit code.
int child_main(int argc, char** argv, const char* name, ChildEnd (*serve)());

}  // namespace steer
