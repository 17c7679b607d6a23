// Who keeps a BPF program alive: the processes that hold it, or a link to it, by a descriptor.
//
// Looks through /proc, at set-up only: milliseconds. Sees what its user may see: with root's rights every
// process of this PID namespace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace steer {

struct ProgramHolder {
    int pid = 0;
    std::string name;  // of the process, as ps says it
};

// The first one found that is not this process.
std::optional<ProgramHolder> find_program_holder(std::uint32_t program_id);

}  // namespace steer
