// Programs that another process executes for this one.
#define BOOST_TEST_MODULE starter
#include "control/host/process/starter.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "dataplane/port/descriptor.h"
#include "support/temp_folder.h"

namespace {

using steer::Descriptor;
using steer::Starter;

Starter::Program shell(const std::string& name, const std::string& command) {
    return {.name = name, .files = {"/nowhere/sh", "/bin/sh"}, .words = {"sh", "-c", command}};
}

std::array<Descriptor, 2> new_pipe() {
    std::array<int, 2> ends{};
    BOOST_REQUIRE_EQUAL(::pipe2(ends.data(), O_CLOEXEC), 0);
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

int wait_for(pid_t pid) {
    int status = -1;
    BOOST_REQUIRE_EQUAL(::waitpid(pid, &status, 0), pid);
    return status;
}

// What the program writes into descriptor 7.
std::string output_of(Starter& starter, const std::string& name) {
    auto pipe = new_pipe();
    const pid_t pid = starter.start(name, {{pipe[1].get(), 7}});
    BOOST_REQUIRE_GT(pid, 0);
    pipe[1] = Descriptor(-1);
    std::string all;
    std::array<char, 256> part{};
    for (ssize_t n = 0; (n = ::read(pipe[0].get(), part.data(), part.size())) > 0;)
        all.append(part.data(), static_cast<std::size_t>(n));
    BOOST_TEST(wait_for(pid) == 0);
    return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_program_is_a_child_with_the_given_descriptor_alone) {
    const Descriptor not_given(::open("/dev/null", O_RDONLY));  // without O_CLOEXEC
    Starter starter({shell("pid", "echo $PPID >&7"), shell("fds", "ls /proc/self/fd >&7")});
    BOOST_TEST(output_of(starter, "pid") == std::to_string(::getpid()) + "\n");
    // (3: the folder that `ls` reads.)
    BOOST_TEST(output_of(starter, "fds") == "0\n1\n2\n3\n7\n");
}

BOOST_AUTO_TEST_CASE(no_signal_is_blocked_or_ignored_in_it) {
    (void)::signal(SIGPIPE, SIG_IGN);
    sigset_t blocked;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGUSR1);
    ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
    Starter starter({shell("signals", "grep -E '^Sig(Blk|Ign)' /proc/self/status >&7")});
    const std::string zero(16, '0');
    BOOST_TEST(output_of(starter, "signals") == "SigBlk:\t" + zero + "\nSigIgn:\t" + zero + "\n");
    ::sigprocmask(SIG_UNBLOCK, &blocked, nullptr);
}

BOOST_AUTO_TEST_CASE(it_runs_on_the_cpus_of_the_thread_that_asks) {
    cpu_set_t before, first;
    BOOST_REQUIRE_EQUAL(::sched_getaffinity(0, sizeof before, &before), 0);
    Starter starter({shell("cpus", "grep Cpus_allowed_list /proc/self/status | cut -f 2 >&7")});
    std::size_t cpu = 0;
    while (!CPU_ISSET(cpu, &before))
        ++cpu;
    CPU_ZERO(&first);
    CPU_SET(cpu, &first);
    BOOST_REQUIRE_EQUAL(::sched_setaffinity(0, sizeof first, &first), 0);
    BOOST_TEST(output_of(starter, "cpus") == std::to_string(cpu) + "\n");
    BOOST_REQUIRE_EQUAL(::sched_setaffinity(0, sizeof before, &before), 0);
}

BOOST_AUTO_TEST_CASE(a_missing_program_is_an_error_until_it_is_there) {
    const steer::test::TempFolder folder;
    const std::string file = folder.path / "program";
    Starter starter({{.name = "late", .files = {file}, .words = {"late", "-c", "exit 3"}}});
    BOOST_TEST(starter.start("late", {}) == 0);
    BOOST_TEST(errno == ENOENT);
    BOOST_REQUIRE_EQUAL(::symlink("/bin/sh", file.c_str()), 0);
    const pid_t pid = starter.start("late", {});
    BOOST_REQUIRE_GT(pid, 0);
    BOOST_TEST(WEXITSTATUS(wait_for(pid)) == 3);
}

// A process that was taken over chooses the numbers of the descriptors. A child's own ones, such as
// the opened program, must not be among them.
BOOST_AUTO_TEST_CASE(a_given_descriptor_replaces_none_of_the_child) {
    const Descriptor other(::open("/bin/false", O_PATH | O_CLOEXEC));
    BOOST_REQUIRE_GE(other.get(), 0);
    Starter starter({shell("true", "exit 0")});
    for (const int target : {-1, 64, 65, 66, 67, 68, 1000}) {
        const pid_t pid = starter.start("true", {{other.get(), target}});
        BOOST_TEST(pid == 0, "target " << target);
        BOOST_TEST(errno == EINVAL, "target " << target);
        if (pid != 0) BOOST_TEST(wait_for(pid) == 0, "target " << target);
    }
    BOOST_TEST(wait_for(starter.start("true", {{other.get(), 63}})) == 0);
}

BOOST_AUTO_TEST_CASE(an_ended_starter_is_reported) {
    Starter starter({shell("true", "exit 0")});
    BOOST_TEST(starter.is_alive());
    BOOST_REQUIRE_EQUAL(::kill(starter.pid(), SIGTERM), 0);  // the service manager's is not for it
    BOOST_TEST(wait_for(starter.start("true", {})) == 0);
    BOOST_REQUIRE_EQUAL(::kill(starter.pid(), SIGKILL), 0);
    BOOST_TEST(starter.start("true", {}) == 0);
    BOOST_TEST(errno == ECHILD);
    BOOST_TEST(!starter.is_alive());
}

BOOST_AUTO_TEST_CASE(a_signal_reaches_only_what_it_started) {
    Starter starter({shell("sleeps", "exec sleep 100")});
    const pid_t pid = starter.start("sleeps", {});
    BOOST_REQUIRE_GT(pid, 0);
    BOOST_TEST(!starter.signal(::getpid(), SIGTERM));
    BOOST_TEST(errno == ESRCH);
    BOOST_TEST(starter.signal(pid, SIGKILL));
    const int status = wait_for(pid);
    BOOST_TEST(WIFSIGNALED(status));
    BOOST_TEST(WTERMSIG(status) == SIGKILL);
    BOOST_TEST(!starter.signal(pid, SIGKILL));  // the kernel may reuse its number
}

BOOST_AUTO_TEST_CASE(a_limit_of_memory_is_its_own) {
    Starter starter({shell("limit", "ulimit -v >&7")});
    auto pipe = new_pipe();
    const pid_t pid = starter.start("limit", {{pipe[1].get(), 7}}, std::uint64_t{1} << 30);
    BOOST_REQUIRE_GT(pid, 0);
    pipe[1] = Descriptor(-1);
    std::array<char, 64> text{};
    const auto count = ::read(pipe[0].get(), text.data(), text.size());
    BOOST_TEST(std::string(text.data(), static_cast<std::size_t>(count)) == "1048576\n");
    BOOST_TEST(wait_for(pid) == 0);
}

BOOST_AUTO_TEST_CASE(a_program_that_is_opened_at_each_start_is_the_new_version) {
    const steer::test::TempFolder folder;
    const std::string file = folder / "program";
    const auto write = [&file](const std::string& text) {
        ::unlink(file.c_str());
        std::ofstream(file) << "#!/bin/sh\necho " << text << " >&7\n";
        ::chmod(file.c_str(), 0755);
    };
    write("old");
    Starter::Program program{.name = "p", .files = {file}, .words = {file}};
    program.is_opened_by_start = true;
    Starter starter({program});
    BOOST_TEST(output_of(starter, "p") == "old\n");
    write("new");
    BOOST_TEST(output_of(starter, "p") == "new\n");
}

BOOST_AUTO_TEST_CASE(programs_join_the_group_that_was_given) {
    const steer::test::TempFolder folder;
    const std::string file = folder.write("cgroup.procs", "");
    Starter starter({shell("echo", "echo here >&7")});
    BOOST_TEST(output_of(starter, "echo") == "here\n");
    Descriptor group(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    BOOST_TEST(starter.use_group(group.get()));
    BOOST_TEST(output_of(starter, "echo") == "here\n");
    std::string text;
    std::ifstream(file) >> text;
    BOOST_TEST(text == "0");
    // One that cannot be joined keeps no program from its start.
    group = Descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    BOOST_TEST(starter.use_group(group.get()));
    BOOST_TEST(output_of(starter, "echo") == "here\n");
}

BOOST_AUTO_TEST_CASE(a_program_that_root_may_not_run_starts_once_the_starter_is_another_user) {
    constexpr uid_t kNobody = 65534;
    auto who = shell("who", "id -u >&7");
    who.never_as_root = true;
    Starter starter({who, shell("any", "id -u >&7")});
    if (::geteuid() != 0) {
        BOOST_TEST(output_of(starter, "who") == std::to_string(::geteuid()) + "\n");
        return;
    }
    BOOST_TEST(starter.start("who", {}) == 0);
    BOOST_TEST(errno == EPERM);
    BOOST_TEST(output_of(starter, "any") == "0\n");
    BOOST_REQUIRE(starter.become(kNobody, kNobody));
    BOOST_TEST(output_of(starter, "who") == "65534\n");
}
