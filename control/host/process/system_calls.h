// Names of the kernel's system calls, for the CPU and the headers that this program was built with.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace steer {

struct SystemCall {
    std::string_view name;
    int number;
};
// All that the headers know, by name (made by tools/call_names).
std::span<const SystemCall> system_calls();

// -1: this CPU has no such call, or its headers do not know it.
int number_of_call(std::string_view name);
// "openat"; "call 470" for a number that the headers do not know.
std::string name_of_call(int number);
// The last one that the headers know.
int last_known_call();

}  // namespace steer
