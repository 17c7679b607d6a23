// Output to a reader that may have stopped. No call here waits for the reader.
//
// Each write asks poll(2) first and has at most PIPE_BUF bytes, which a pipe with room takes at
// once. Text without room is left out. The descriptor keeps its flags: other processes share it.
#pragma once

#include <string_view>

namespace steer {

// Whether a write of at most PIPE_BUF bytes does not wait now.
bool has_room(int descriptor) noexcept;

// False: some of it was left out. Also works in a signal handler: no heap, no lock.
bool write_if_room(int descriptor, std::string_view text) noexcept;

// Output to `stderr` does not wait from now on: messages before abort(), of DPDK, of any library.
// Call it on the main thread, before other threads print. (glibc's own messages, as about a damaged
// heap, and descriptor 2 itself stay as they are.)
void keep_stderr_from_waiting();

}  // namespace steer
