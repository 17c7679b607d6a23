// The control group of the engine's processes (cgroup v2), where this daemon has been given its own:
// a unit with `Delegate=`, or a container with a writable /sys/fs/cgroup.
//
// It bounds the memory of all instances together, their buffers in the kernel included, and the
// number of their processes; the CPU is the daemon's first. Without one, each process has its limit
// of address space only.
//
// Source: Linux, Documentation/admin-guide/cgroup-v2.rst; systemd, docs/CGROUP_DELEGATION.md.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer::recursion {

// Where the kernel shows control groups and this process's own.
struct ControlGroupPaths {
    std::string mount = "/sys/fs/cgroup";
    std::string own = "/proc/self/cgroup";
};

class ControlGroup {
  public:
    // Moves this process and its children into a group `daemon` below the present one, and makes
    // `recursion` beside it. Needs the rights of the start. Error: why there is none.
    static Result<ControlGroup> make(const ControlGroupPaths& paths = {});

    // A process that writes "0" to it is a member, whatever its user.
    [[nodiscard]] int members() const { return members_.get(); }
    [[nodiscard]] const std::string& path() const { return path_; }  // "/system.slice/…/recursion"
    // Of all members together.
    Result<void> limit_memory(std::uint64_t bytes);
    [[nodiscard]] std::uint64_t most_bytes() const { return most_bytes_; }  // 0: not limited yet

  private:
    ControlGroup(std::string path, Descriptor members, Descriptor memory)
        : path_(std::move(path)), members_(std::move(members)), memory_(std::move(memory)) {}

    std::string path_;
    Descriptor members_, memory_;  // cgroup.procs, memory.max
    std::uint64_t most_bytes_ = 0;
};

}  // namespace steer::recursion
