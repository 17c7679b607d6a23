#include "control/host/process/child_process.h"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include "control/host/process/child_main.h"
#include "control/host/process/sequenced_socket.h"
#include "control/host/process/starter.h"

namespace steer {
namespace {

constexpr int kEndPatienceMs = 200;

std::string cannot(const std::string& what) {
    return what + ": " + std::strerror(errno);
}

}  // namespace

Result<StartedChild> start_child(std::string_view name, std::size_t max_bytes) {
    const std::string program(name);
    auto [ours, theirs] = SequencedSocket::pair(max_bytes);
    if (ours.get() < 0) return Error{cannot("no socket pair for " + program)};
    Starter* const starter = starter_in_use();
    errno = ECHILD;
    const pid_t pid =
        starter == nullptr ? 0 : starter->start(name, {{theirs.get(), kChildSocketFd}});
    if (pid == 0) return Error{cannot(program + " cannot be started")};
    Descriptor end(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    const int error = errno;
    if (end.get() < 0) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        errno = error;
        return Error{cannot(program + " cannot be followed")};
    }
    return {boost::system::in_place_value,
            StartedChild{std::move(ours), ChildProcess(pid, std::move(end))}};
}

ChildProcess::~ChildProcess() {
    if (pid_ == 0) return;
    pollfd end{end_.get(), POLLIN, 0};
    if (::poll(&end, 1, kEndPatienceMs) <= 0) kill();
    ::poll(&end, 1, kEndPatienceMs);
    ::waitpid(pid_, nullptr, WNOHANG);
}

void ChildProcess::kill() const {
    if (pid_ != 0) ::kill(pid_, SIGKILL);
}

std::string ChildProcess::reap() {
    int status = 0;
    if (pid_ == 0 || ::waitpid(std::exchange(pid_, 0), &status, WNOHANG) <= 0)
        return "no exit status";
    return text_of_end(status);
}

std::string text_of_end(int status) {
    return WIFSIGNALED(status) ? "killed by signal " + std::to_string(WTERMSIG(status))
                               : "exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace steer
