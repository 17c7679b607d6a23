// What code inside an engine of recursion might try, after a hole in it: a program that tries it,
// and writes the result of each attempt: "fork EPERM udp done …", in some lines.
#pragma once

#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>

namespace steer::test {

class HostileProgram {
  public:
    // `out`: a descriptor; `prefix`: of each line.
    HostileProgram(int out, std::string prefix) : out_(out), prefix_(std::move(prefix)) {}

    // `folder`: it may write there.
    void run(const std::string& folder) {
        start_processes();
        open_sockets();
        reach_others();
        change_files(folder);
        start_programs();
    }

  private:
    static constexpr std::size_t kLongLine = 120;  // the daemon's log has some more of one

    // `result`: of a system call.
    void say(std::string_view what, long result) {
        text_.append(what).append(" ");
        text_.append(result >= 0 ? "done" : ::strerrorname_np(errno)).append(" ");
        if (text_.size() > kLongLine) write_line();
    }
    void write_line() {
        const std::string line = prefix_ + text_ + "\n";
        (void)!::write(out_, line.data(), line.size());
        text_.clear();
    }

    // Of files that are not there: a call that is allowed fails with ENOENT.
    void start_programs() {
        std::array<char*, 1> none{};
        say("execve", ::execve("/nowhere/program", none.data(), none.data()));
        const auto at = [&none](int fd, const char* path, int flags) {
            return ::syscall(SYS_execveat, fd, path, none.data(), none.data(), flags);
        };
        say("execveat", at(-1, "/nowhere/program", 0));
        std::thread([&] {
            say("execve-in-thread", ::execve("/nowhere/program", none.data(), none.data()));
        }).join();
        say("memfd", ::syscall(SYS_memfd_create, "program", 0));
        write_line();
        // The last one: if it is done, nothing more is written.
        say("execveat-file", at(::open("/bin/true", O_RDONLY | O_CLOEXEC), "", AT_EMPTY_PATH));
        write_line();
    }

    void start_processes() {
        const auto child = [this](std::string_view how, long pid) {
            if (pid == 0) ::_exit(EXIT_SUCCESS);
            say(how, pid);
        };
        child("fork", ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
        child("clone-vm",
              ::syscall(SYS_clone, SIGCHLD | CLONE_PARENT, nullptr, nullptr, nullptr, nullptr));
#ifdef SYS_fork
        child("old-fork", ::syscall(SYS_fork));
#endif
        say("clone3", ::syscall(SYS_clone3, nullptr, 0));
    }

    void open_sockets() {
        const auto open = [this](std::string_view what, int family, int type, int protocol) {
            const int fd = ::socket(family, type | SOCK_CLOEXEC, protocol);
            say(what, fd);
            if (fd >= 0) ::close(fd);
        };
        open("udp", AF_INET, SOCK_DGRAM, 0);
        open("tcp6", AF_INET6, SOCK_STREAM, IPPROTO_TCP);
        open("unix", AF_UNIX, SOCK_STREAM, 0);
        open("links", AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
        open("firewall", AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
        open("raw", AF_INET, SOCK_RAW, IPPROTO_ICMP);
        open("mptcp", AF_INET, SOCK_STREAM, 262);
        open("packet", AF_PACKET, SOCK_DGRAM, 0);
        open("vsock", AF_VSOCK, SOCK_STREAM, 0);
    }

    void reach_others() {
        say("kill", ::kill(::getppid(), 0));
        say("tgkill", ::syscall(SYS_tgkill, ::getppid(), ::getppid(), 0));
        say("ptrace", ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
        rlimit limit{};
        say("prlimit", ::syscall(SYS_prlimit64, ::getppid(), RLIMIT_AS, nullptr, &limit));
        say("own-prlimit", ::syscall(SYS_prlimit64, 0, RLIMIT_AS, nullptr, &limit));
        say("userns", ::syscall(SYS_unshare, CLONE_NEWUSER));
        say("io_uring", ::syscall(SYS_io_uring_setup, 1, nullptr));
        void* const code = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        say("code", code == MAP_FAILED ? -1 : 0);
    }

    void change_files(const std::string& folder) {
        const auto open = [this](std::string_view what, const std::string& file, int flags) {
            const int fd = ::open(file.c_str(), flags | O_CLOEXEC, 0600);
            say(what, fd);
            if (fd >= 0) ::close(fd);
        };
        const std::string own = folder + "/own", other = folder + "/other";
        open("write", own, O_WRONLY | O_CREAT);
        say("rename", ::rename(own.c_str(), other.c_str()));
        say("unlink", ::unlink(other.c_str()));
        say("symlink", ::symlink("/etc/passwd", own.c_str()));
        say("link", ::link("/etc/passwd", own.c_str()));
        say("mkdir", ::mkdir(own.c_str(), 0700));
        say("fifo", ::mkfifo(own.c_str(), 0600));
        say("chmod", ::chmod(folder.c_str(), 0));
        open("read-system", "/usr/share/dns/root.hints", O_RDONLY);
        open("read-passwd", "/etc/passwd", O_RDONLY);
        open("write-memory", "/proc/self/mem", O_RDWR);
        open("write-tmp", "/tmp/steerdns-hostile-program", O_WRONLY | O_CREAT);
    }

    const int out_;
    const std::string prefix_;
    std::string text_;
};

}  // namespace steer::test
