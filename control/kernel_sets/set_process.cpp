#include "control/kernel_sets/set_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include "control/process/rights.h"
#include "control/sets/program.h"
#include "control/sets/sequenced_socket.h"

namespace steer::kernel_sets {
namespace {

constexpr int kEndPatienceMs = 200;
constexpr int kFreeFd = 10;  // above those that the child gets

std::string cannot(const std::string& what) {
    return what + ": " + std::strerror(errno);
}

Descriptor above_childs(const Descriptor& fd) {
    return Descriptor(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kFreeFd));
}

// errno is 0 or has the reason.
pid_t spawn(int program, int socket) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&actions, socket, sets::kSocketFd);
    ::posix_spawn_file_actions_adddup2(&actions, program, sets::kProgramFd);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, sets::kProgramFd + 1);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::string name = sets::kProgramName;
    const std::string path = "/proc/self/fd/" + std::to_string(sets::kProgramFd);
    std::array<char*, 2> arguments{name.data(), nullptr};
    pid_t pid = 0;
    const LendNetAdmin lent;
    errno = ::posix_spawn(&pid, path.c_str(), &actions, &attributes, arguments.data(), environ);
    const int error = errno;
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    errno = error;
    return errno == 0 ? pid : 0;
}

}  // namespace

Result<StartedSets> start_set_process(const Descriptor& program) {
    const std::string name = sets::kProgramName;
    auto [ours, theirs] = sets::SequencedSocket::pair();
    if (ours.get() < 0) return Error{cannot("no socket pair for " + name)};
    const Descriptor childs = above_childs(theirs);
    const Descriptor file = above_childs(program);
    if (childs.get() < 0 || file.get() < 0) return Error{cannot(name + " cannot be started")};
    const pid_t pid = spawn(file.get(), childs.get());
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
