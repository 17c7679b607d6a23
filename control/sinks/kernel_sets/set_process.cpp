#include "control/sinks/kernel_sets/set_process.h"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include "control/host/process/starter.h"
#include "control/sinks/set_process/program.h"
#include "control/sinks/set_process/sequenced_socket.h"

namespace steer::kernel_sets {
namespace {

constexpr int kEndPatienceMs = 200;

std::string cannot(const std::string& what) {
    return what + ": " + std::strerror(errno);
}

}  // namespace

Result<StartedSets> start_set_process() {
    const std::string name = sets::kProgramName;
    auto [ours, theirs] = sets::SequencedSocket::pair();
    if (ours.get() < 0) return Error{cannot("no socket pair for " + name)};
    Starter* const starter = starter_in_use();
    errno = ECHILD;
    const pid_t pid =
        starter == nullptr ? 0 : starter->start(name, {{theirs.get(), sets::kSocketFd}});
    if (pid == 0) return Error{cannot(name + " cannot be started")};
    Descriptor end(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    const int error = errno;
    if (end.get() < 0) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        errno = error;
        return Error{cannot(name + " cannot be followed")};
    }
    return {boost::system::in_place_value,
            StartedSets{std::move(ours), SetProcess(pid, std::move(end))}};
}

SetProcess::~SetProcess() {
    if (pid_ == 0) return;
    pollfd end{end_.get(), POLLIN, 0};
    if (::poll(&end, 1, kEndPatienceMs) <= 0) kill();
    ::poll(&end, 1, kEndPatienceMs);
    ::waitpid(pid_, nullptr, WNOHANG);
}

void SetProcess::kill() const {
    if (pid_ != 0) ::kill(pid_, SIGKILL);
}

std::string SetProcess::reap() {
    int status = 0;
    if (pid_ == 0 || ::waitpid(std::exchange(pid_, 0), &status, WNOHANG) <= 0)
        return "no exit status";
    return WIFSIGNALED(status) ? "killed by signal " + std::to_string(WTERMSIG(status))
                               : "exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace steer::kernel_sets
