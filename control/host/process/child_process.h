// A child process with a socket to this process: starting it, and its end. Its owner in the daemon
// has a ChildRunner (child_runner.h), its main() is child_main() (child_main.h).
//
// Code that must not be part of the daemon is in such processes: libraries whose licence does not
// fit (steerdns-sets), and protocols whose faults must not be the daemon's (steerdns-quic).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer {

// Of a process that has ended, by its status of waitpid(2): "killed by signal 9", "exit code 3".
std::string text_of_end(int status);

// A child with the other end of a SOCK_SEQPACKET pair. It ends when that is closed, and is killed
// when the main thread of the daemon ends.
class ChildProcess {
  public:
    ChildProcess(pid_t pid, Descriptor end) : pid_(pid), end_(std::move(end)) {}
    ChildProcess(ChildProcess&& other) noexcept
        : pid_(std::exchange(other.pid_, 0)), end_(std::move(other.end_)) {}
    ChildProcess& operator=(ChildProcess&&) = delete;
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    // Close the socket first: the process then has 200 ms to end before it is killed.
    ~ChildProcess();

    [[nodiscard]] pid_t pid() const { return pid_; }
    // Readable after the process has ended.
    [[nodiscard]] int end_fd() const { return end_.get(); }
    void kill() const;
    // text_of_end(). Reaps the process; only once end_fd() is readable.
    std::string reap();

  private:
    pid_t pid_;       // 0: reaped
    Descriptor end_;  // a pidfd
};

struct StartedChild {
    Descriptor socket;  // ours
    ChildProcess process;
};
// Starts the starter's program of that name. Does not wait for it. It gets the standard descriptors
// and its socket as kChildSocketFd (child_main.h). `max_bytes`: of a message.
Result<StartedChild> start_child(std::string_view name, std::size_t max_bytes);

}  // namespace steer
