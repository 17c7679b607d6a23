// The process steerdns-sets: starting it, and its end.
//
// libnftables and libipset are under the GPL, version 2, which cannot be combined with OpenSSL's
// licence in one program. So they are in that process, which links neither OpenSSL nor DPDK.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer::kernel_sets {

// A child with the other end of a SOCK_SEQPACKET pair. It ends when that is closed, and is killed
// when the main thread of the daemon ends.
class SetProcess {
  public:
    SetProcess(pid_t pid, Descriptor end) : pid_(pid), end_(std::move(end)) {}
    SetProcess(SetProcess&& other) noexcept
        : pid_(std::exchange(other.pid_, 0)), end_(std::move(other.end_)) {}
    SetProcess& operator=(SetProcess&&) = delete;
    SetProcess(const SetProcess&) = delete;
    SetProcess& operator=(const SetProcess&) = delete;
    // Close the socket first: the process then has 200 ms to end before it is killed.
    ~SetProcess();

    [[nodiscard]] pid_t pid() const { return pid_; }
    // Readable after the process has ended.
    [[nodiscard]] int end_fd() const { return end_.get(); }
    void kill() const;
    // "killed by signal 9", "exit code 3". Reaps the process; only once end_fd() is readable.
    std::string reap();

  private:
    pid_t pid_;       // 0: reaped
    Descriptor end_;  // a pidfd
};

struct StartedSets {
    Descriptor socket;  // ours
    SetProcess process;
};
// Does not wait for the process. It gets CAP_NET_ADMIN (if the starter has it), the standard
// descriptors and its socket. The starter knows it as the program kProgramName.
Result<StartedSets> start_set_process();

}  // namespace steer::kernel_sets
