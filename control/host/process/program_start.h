// One start of a program, in the process of a Starter: it forks, and the new process executes the
// program with what its row of the table says.
#pragma once

#include <span>
#include <vector>

#include "control/host/process/starter.h"
#include "control/host/process/starter_messages.h"
#include "dataplane/port/descriptor.h"

namespace steer {

// A program of the table, ready to be executed.
struct Executable {
    const Starter::Program& program;
    std::vector<char*> arguments{};  // ends with nullptr
    Descriptor file{};               // -1: each start opens it

    // -1: none of the files is there.
    [[nodiscard]] int open_now() const;
};
std::vector<Executable> executables(const std::vector<Starter::Program>& programs);

class ProgramStarter {
  public:
    // `environment`: of the programs; ends with nullptr.
    explicit ProgramStarter(std::span<char* const> environment) : environment_(environment) {}

    // Programs join this control group from now on: a descriptor of its cgroup.procs.
    void use_group(Descriptor group) { group_ = std::move(group); }
    // `given`: the descriptors beside the request, in the order of its targets. Waits until the
    // program runs. `process`: a descriptor of the process (pidfd).
    Starter::Reply start(const Executable& what, const Starter::Request& request,
                         std::span<const int> given, Descriptor& process);

  private:
    Starter::Reply follow(pid_t pid, Descriptor reports);

    const std::span<char* const> environment_;
    Descriptor group_;
    bool listens_ = true;  // false: this kernel lets no reported call pass
};

}  // namespace steer
