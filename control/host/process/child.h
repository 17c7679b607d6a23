// Starts one of our programs as a child process that inherits nothing by chance: no signal is blocked or ignored in it, and
// it has only the standard descriptors and those that are given to it.
#pragma once

#include <sys/types.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace steer {

// A descriptor for a child; no `own` is another one's `childs`.
struct GivenDescriptor {
    int own;     // of this process
    int childs;  // its number in the child
};

// 0: it could not be started, errno says why. `words`: its name and its arguments. `path` is opened in the child, after it got
// the descriptors. The thread's capabilities count (LendNetAdmin).
pid_t start_child(const std::string& path, std::vector<std::string> words,
                  std::initializer_list<GivenDescriptor> descriptors);

}  // namespace steer
