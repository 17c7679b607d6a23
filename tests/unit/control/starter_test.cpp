// Programs that another process executes for this one.
#define BOOST_TEST_NO_MAIN
#define BOOST_TEST_ALTERNATIVE_INIT_API
#include "control/host/process/starter.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "control/host/process/call_filter.h"
#include "control/host/process/file_rules.h"
#include "control/host/process/rights.h"
#include "dataplane/port/descriptor.h"
#include "support/hostile_program.h"
#include "support/temp_folder.h"

namespace {

using steer::Descriptor;
using steer::Starter;
using steer::ThreadKind;

constexpr std::string_view kHostile = "--hostile";
constexpr int kOut = 7;  // of a program

Starter::Program shell(const std::string& name, const std::string& command) {
    return {.name = name, .files = {"/nowhere/sh", "/bin/sh"}, .words = {"sh", "-c", command}};
}

std::array<Descriptor, 2> new_pipe() {
    std::array<int, 2> ends{};
    BOOST_REQUIRE_EQUAL(::pipe2(ends.data(), O_CLOEXEC), 0);
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

// Of a process, and what they are.
std::map<int, std::string> descriptors_of(pid_t pid) {
    std::map<int, std::string> found;
    for (const auto& one :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd"))
        found.emplace(std::stoi(one.path().filename()),
                      std::filesystem::read_symlink(one.path()).string());
    return found;
}

int wait_for(pid_t pid) {
    int status = -1;
    BOOST_REQUIRE_EQUAL(::waitpid(pid, &status, 0), pid);
    return status;
}

// What the program writes into descriptor kOut.
std::string output_of(Starter& starter, const std::string& name, Starter::Limits limits = {},
                      int target = kOut) {
    auto pipe = new_pipe();
    const pid_t pid = starter.start(name, {{pipe[1].get(), target}}, limits);
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

// What the service manager or a shell left open is not the starter's, and what it has is closed in
// its programs.
BOOST_AUTO_TEST_CASE(the_starter_has_its_socket_and_the_standard_descriptors_alone) {
    const Descriptor left(::open("/dev/zero", O_RDONLY));
    Starter starter({shell("input", "readlink /proc/self/fd/0 >&7")});
    BOOST_TEST(output_of(starter, "input") == "/dev/null\n");
    // The program's file, and a reference to its process.
    unsigned sockets = 0;
    for (const auto& [fd, file] : descriptors_of(starter.pid())) {
        if (fd <= STDERR_FILENO) continue;
        const bool is_socket = file.starts_with("socket:");
        sockets += is_socket ? 1U : 0U;
        BOOST_TEST((is_socket || file.ends_with("sh") || file.find("pidfd") != std::string::npos),
                   file);
    }
    BOOST_TEST(sockets == 1U);
}

BOOST_AUTO_TEST_CASE(a_program_has_the_made_environment_alone) {
    ::setenv("STEERDNS_TEST_PASSWORD", "secret", 1);
    ::setenv("LD_PRELOAD", "/nowhere/library", 1);
    ::setenv("TZ", "UTC", 1);
    Starter starter(
        {{.name = "cat", .files = {"/bin/cat"}, .words = {"cat", "/proc/self/environ"}}});
    ::unsetenv("LD_PRELOAD");
    std::string found = output_of(starter, "cat", {}, STDOUT_FILENO);
    std::ranges::replace(found, '\0', '\n');
    BOOST_TEST(found == "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLANG=C.UTF-8\nTZ=UTC\n");
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
    const pid_t pid =
        starter.start("limit", {{pipe[1].get(), 7}}, {.most_bytes = std::uint64_t{1} << 30});
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

// ---- a program that strangers might take over

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;  // which makes calls of its own
#else
constexpr bool kIsSanitized = false;
#endif
boost::test_tools::assertion_result filters_are_on(boost::unit_test::test_unit_id) {
    return !kIsSanitized;
}

Starter::Program hostile(const std::string& folder) {
    return {.name = "hostile",
            .words = {"hostile", std::string(kHostile), folder},
            .is_self = true,
            .filter = ThreadKind::engine};
}

// "execve" -> "ENOSYS"
std::map<std::string, std::string> attempts(const std::string& output) {
    std::map<std::string, std::string> found;
    std::istringstream lines(output);
    for (std::string name, result; lines >> name >> result;)
        found.insert_or_assign(name, result);
    return found;
}

void expect(const std::map<std::string, std::string>& found, const std::vector<std::string>& names,
            const std::string& result) {
    for (const std::string& name : names) {
        const auto at = found.find(name);
        BOOST_TEST((at == found.end() ? "nothing" : at->second) == result, name);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_engine_executes_no_other_program,
                     *boost::unit_test::precondition(filters_are_on)) {
    const steer::test::TempFolder folder;
    Starter starter({hostile(folder.path.string())}, ThreadKind::recursion);
    // Each start has a listener of its own, and none stays.
    for (int i = 0; i < 16; ++i) {
        const auto found = attempts(output_of(starter, "hostile"));
        expect(found, {"execve", "execveat", "execveat-file", "execve-in-thread", "clone3"},
               "ENOSYS");
        expect(found, {"memfd", "fork", "clone-vm"}, "EPERM");
        BOOST_TEST(starter.unguarded() == 0);
    }
    for (const auto& [fd, file] : descriptors_of(starter.pid()))
        BOOST_TEST(file.find("seccomp") == std::string::npos, file);
}

BOOST_AUTO_TEST_CASE(an_engine_makes_the_calls_of_an_engine_alone,
                     *boost::unit_test::precondition(filters_are_on)) {
    const steer::test::TempFolder folder;
    Starter starter({hostile(folder.path.string())}, ThreadKind::recursion);
    const auto found = attempts(output_of(starter, "hostile"));
    expect(found, {"udp", "tcp6", "unix", "links", "own-prlimit", "write", "rename", "unlink"},
           "done");
    expect(found,
           {"firewall", "raw", "mptcp", "packet", "vsock", "kill", "tgkill", "ptrace", "prlimit",
            "userns", "io_uring", "code", "symlink", "link", "mkdir", "fifo", "chmod"},
           "EPERM");
}

BOOST_AUTO_TEST_CASE(rules_for_files_are_in_force_from_the_first_instruction_on,
                     *boost::unit_test::precondition(filters_are_on)) {
    if (steer::FileRules::kernel_version() == 0) return;
    const steer::test::TempFolder folder;
    steer::FileRules rules;
    for (const char* const system : {"/usr", "/lib", "/lib64"})
        rules.allow_running(system);
    rules.allow_running(std::filesystem::read_symlink("/proc/self/exe").parent_path());
    rules.allow("/proc", steer::FileRules::Use::read);
    rules.allow(folder.path, steer::FileRules::Use::write);
    const auto set = rules.make();
    BOOST_REQUIRE(set);
    Starter starter({hostile(folder.path.string())}, ThreadKind::recursion);
    const auto found = attempts(output_of(starter, "hostile", {.file_rules = set->get()}));
    expect(found, {"write", "rename", "unlink"}, "done");
    expect(found, {"read-passwd", "write-memory", "write-tmp"}, "EACCES");
    expect(found, {"execve", "execveat-file"}, "ENOSYS");
    // Other descriptors than rules start nothing.
    const Descriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    BOOST_TEST(starter.start("hostile", {}, {.file_rules = file.get()}) == 0);
}

// As in a container whose engine follows the calls of its processes.
BOOST_AUTO_TEST_CASE(under_another_listener_an_engine_starts_and_this_is_known,
                     *boost::unit_test::precondition(filters_are_on)) {
    const steer::test::TempFolder folder;
    const pid_t pid = ::fork();
    if (pid == 0) {
        steer::harden_process();
        const auto everything =
            steer::filter_program(steer::rules_of(ThreadKind::recursion), SECCOMP_RET_ALLOW);
        if (steer::install_filter(everything, SECCOMP_FILTER_FLAG_NEW_LISTENER) < 0) ::_exit(1);
        Starter starter({hostile(folder.path.string())}, ThreadKind::recursion);
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0 ||
            starter.start("hostile", {{ends[1], kOut}}) == 0)
            ::_exit(2);
        if (starter.unguarded() != EBUSY) ::_exit(3);
        ::close(ends[1]);
        std::string text;
        std::array<char, 256> part{};
        for (ssize_t n = 0; (n = ::read(ends[0], part.data(), part.size())) > 0;)
            text.append(part.data(), static_cast<std::size_t>(n));
        // All else holds.
        const auto found = attempts(text);
        const auto is = [&found](const char* what, const std::string& result) {
            const auto at = found.find(what);
            return at != found.end() && at->second == result;
        };
        const bool is_right = is("execve", "ENOENT") && is("fork", "EPERM");
        ::_exit(is_right ? EXIT_SUCCESS : 4);
    }
    BOOST_TEST(WEXITSTATUS(wait_for(pid)) == EXIT_SUCCESS);
}

BOOST_AUTO_TEST_CASE(a_script_and_a_missing_program_start_or_fail_under_the_filter,
                     *boost::unit_test::precondition(filters_are_on)) {
    const steer::test::TempFolder folder;
    const std::string file = folder.write("script", "#!/bin/sh\nexec /bin/echo other >&7\n");
    ::chmod(file.c_str(), 0755);
    Starter::Program script{.name = "script", .files = {file}, .words = {file}};
    script.filter = ThreadKind::engine;
    Starter::Program missing{
        .name = "missing", .files = {folder / "missing"}, .words = {"missing"}};
    missing.filter = ThreadKind::engine;
    Starter starter({script, missing}, ThreadKind::recursion);
    auto pipe = new_pipe();
    const pid_t pid = starter.start("script", {{pipe[1].get(), kOut}});
    BOOST_REQUIRE_GT(pid, 0);
    BOOST_TEST(WEXITSTATUS(wait_for(pid)) != 0);  // it runs, and executes nothing
    pipe[1] = Descriptor();
    char byte = 0;
    BOOST_TEST(::read(pipe[0].get(), &byte, 1) == 0);
    BOOST_TEST(starter.start("missing", {}) == 0);
    BOOST_TEST(errno == ENOENT);
}

// The test program is also the program that it starts.
int main(int argc, char** argv) {
    if (argc == 3 && argv[1] == kHostile) {
        steer::test::HostileProgram(kOut, "").run(argv[2]);
        return EXIT_SUCCESS;
    }
    return boost::unit_test::unit_test_main([] { return true; }, argc, argv);
}
