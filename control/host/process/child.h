// Starts one of our programs as a child process with a defined state. It has no blocked or ignored
// signal, only the standard descriptors and those that are given to it.
#pragma once

#include <sys/types.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace steer {

// A descriptor for a child. No `own` may equal the `childs` of another one.
struct GivenDescriptor {
    int own;     // of this process
    int childs;  // its number in the child
};

// Returns 0 if the program could not be started; errno says why. `words`: its name and arguments.
// The child opens `path` after it got the descriptors. The thread's capabilities apply
// (LendNetAdmin).
pid_t start_child(const std::string& path, std::vector<std::string> words,
                  std::initializer_list<GivenDescriptor> descriptors);

}  // namespace steer
