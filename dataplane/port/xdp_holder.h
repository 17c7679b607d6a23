// Finds the processes that keep a BPF program alive: they have a descriptor of it, or of a link to
// it.
//
// Searches /proc, at set-up only; takes milliseconds. Finds what its user may see; as root, every
// process of this PID namespace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace steer {

struct ProgramHolder {
    int pid = 0;
    std::string name;  // of the process, as ps shows it
};

// The first such process, except this one.
std::optional<ProgramHolder> find_program_holder(std::uint32_t program_id);

}  // namespace steer
