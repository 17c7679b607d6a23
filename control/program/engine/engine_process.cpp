#include "control/program/engine/engine_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include "control/program/engine/engine_files.h"
#include "control/program/engine/last_error.h"

namespace steer::recursion {
namespace {

constexpr int kCheckPatienceMs = 10'000;
constexpr std::size_t kMostOutput = 64 << 10;
constexpr std::uint64_t kMostCheckBytes = std::uint64_t{1} << 30;  // of its address space

Starter*& starter_of_process() {
    static Starter* one = nullptr;
    return one;
}

struct Started {
    pid_t pid;
    Descriptor output;
};

// With its standard output and error in a pipe.
Result<Started> start_program(std::string_view name, const EngineStart& how) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) return last_error("no pipe");
    Descriptor out(pipe[0]), in(pipe[1]);
    (void)::fcntl(in.get(), F_SETFL, 0);  // its own end waits
    Descriptor rules;
    if (file_rules_state() == "on") {
        auto made = rules_for(how).make();
        if (!made) return made.error();
        rules = std::move(*made);
    }
    Starter* const starter = engine_starter();
    errno = ECHILD;
    const pid_t pid =
        starter == nullptr
            ? 0
            : starter->start(
                  name,
                  {{how.config, kConfigFd}, {in.get(), STDOUT_FILENO}, {in.get(), STDERR_FILENO}},
                  {.most_bytes = how.most_bytes, .file_rules = rules.get()});
    if (pid == 0) return last_error(std::string(name) + " cannot be started");
    return {boost::system::in_place_value, Started{pid, std::move(out)}};
}

// Waits for it, a second at most.
bool has_ended(pid_t pid, int& status) {
    constexpr int kPatienceMs = 1'000;
    const Descriptor end(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    pollfd is_over{end.get(), POLLIN, 0};
    (void)::poll(&is_over, 1, kPatienceMs);
    return ::waitpid(pid, &status, WNOHANG) > 0;
}

}  // namespace

void use_engine_starter(Starter* starter) {
    starter_of_process() = starter;
}

Starter* engine_starter() {
    return starter_of_process();
}

Result<EngineUser> lower_starter(const std::string& daemon_user) {
    static std::mutex mutex;
    static std::optional<EngineUser> lowered;
    const std::scoped_lock lock(mutex);
    if (!lowered) {
        const EngineUser wanted = engine_user(daemon_user);
        Starter* const starter = engine_starter();
        if (wanted.uid == 0)
            return Error{"it may not run as root: create its user with 'systemd-sysusers'"};
        errno = ECHILD;
        if (::geteuid() == 0 && (starter == nullptr || !starter->become(wanted.uid, wanted.gid)))
            return last_error("no process of it can change its user");
        lowered = wanted;
    }
    return {boost::system::in_place_value, *lowered};
}

Result<StartedEngine> ProcessStarter::start(const EngineStart& how) {
    auto started = start_program(kEngineName, how);
    if (!started) return started.error();
    Descriptor end(static_cast<int>(::syscall(SYS_pidfd_open, started->pid, 0)));
    if (end.get() < 0) {
        const auto error = last_error("unbound cannot be followed");
        kill(started->pid);
        ::waitpid(started->pid, nullptr, 0);
        return error;
    }
    return {boost::system::in_place_value,
            StartedEngine{started->pid, std::move(end), std::move(started->output)}};
}

void ProcessStarter::kill(pid_t pid) {
    Starter* const starter = engine_starter();
    if (starter == nullptr || !starter->signal(pid, SIGKILL)) ::kill(pid, SIGKILL);
}

std::string other_programs() {
    const Starter* const starter = engine_starter();
    const int error = starter == nullptr ? 0 : starter->unguarded();
    return error == 0 ? std::string(kRefused) : std::string("possible: ") + std::strerror(error);
}

Result<std::vector<CheckError>> check(const EngineConfig& config,
                                      const std::vector<std::string>& files) {
    Descriptor file(::memfd_create("unbound.conf", MFD_CLOEXEC));
    if (file.get() < 0 ||
        ::pwrite(file.get(), config.text.data(), config.text.size(), 0) !=
            static_cast<ssize_t>(config.text.size()) ||
        ::fchmod(file.get(), 0444) != 0)
        return last_error("no file for its check");
    auto started = start_program(kCheckName, {file.get(), kMostCheckBytes, {}, files});
    if (!started) return started.error();
    std::string output;
    bool is_over = false;
    while (!is_over && output.size() < kMostOutput) {
        pollfd ready{started->output.get(), POLLIN, 0};
        if (::poll(&ready, 1, kCheckPatienceMs) <= 0) break;
        std::array<char, 4096> room{};
        const auto count = ::read(started->output.get(), room.data(), room.size());
        is_over = count <= 0;
        if (count > 0) output.append(room.data(), static_cast<std::size_t>(count));
    }
    if (!is_over) ProcessStarter().kill(started->pid);
    int status = 0;
    if (!has_ended(started->pid, status) || !is_over) return Error{"unbound-checkconf did not end"};
    std::vector<CheckError> errors;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        errors = errors_of(output, config);
        if (errors.empty())
            errors.push_back({config.lines.empty() ? 0 : config.lines.front(),
                              "unbound-checkconf ended with an error and no sentence"});
    }
    return {boost::system::in_place_value, std::move(errors)};
}

}  // namespace steer::recursion
