// Finds the processes that keep a BPF program alive: they hold it, or a link to it, by a descriptor.
//
// Searches /proc, at set-up only: milliseconds. Sees what its user may see; as root every
// process of this PID namespace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace steer {

struct ProgramHolder {
    int pid = 0;
    std::string name;  // of the process, as shown by ps
};

// The first such process other than this one.
std::optional<ProgramHolder> find_program_holder(std::uint32_t program_id);

}  // namespace steer
