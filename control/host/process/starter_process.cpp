#include "control/host/process/starter_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "control/host/process/call_filters.h"
#include "control/host/process/child_main.h"
#include "control/host/process/program_start.h"
#include "control/host/process/rights.h"
#include "control/host/process/sequenced_socket.h"
#include "control/host/process/starter_messages.h"

namespace steer {
namespace {

// ---- what is left of the process that this one was

// Of the variables that it had, only these stay, in this process and in its programs.
constexpr std::array kKeptVariables {
    "TZ",
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS",
#endif
};

class MadeEnvironment {
  public:
    MadeEnvironment() {
        for (const char* const name : kKeptVariables) {
            const char* const value = std::getenv(name);  // NOLINT: one thread
            if (value != nullptr) texts_.push_back(std::string(name) + "=" + value);
        }
        for (std::string& text : texts_)
            words_.push_back(text.data());
        words_.push_back(nullptr);
        // /proc shows this memory.
        for (char** one = environ; one != nullptr && *one != nullptr; ++one)
            ::explicit_bzero(*one, std::strlen(*one));
        environ = words_.data();
    }
    [[nodiscard]] std::span<char* const> words() const { return words_; }

  private:
    std::vector<std::string> texts_{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"};
    std::vector<char*> words_;
};

// Without close_range(), which is newer (Linux 5.9).
void close_each(int first, int kept) {
    DIR* const all = ::opendir("/proc/self/fd");
    if (all == nullptr) return;
    while (const dirent* const entry = ::readdir(all)) {
        const std::string_view name = entry->d_name;
        int fd = -1;
        (void)std::from_chars(name.data(), name.data() + name.size(), fd);
        if (fd >= first && fd != kept && fd != ::dirfd(all)) ::close(fd);
    }
    ::closedir(all);
}

// Closes all descriptors but this one, and the standard ones. Nothing is read from the input.
void keep_only(int kept) {
    const auto at = static_cast<unsigned>(kept);
    if ((at > 3 && ::syscall(SYS_close_range, 3U, at - 1, 0U) != 0) ||
        ::syscall(SYS_close_range, at + 1, ~0U, 0U) != 0)
        close_each(STDERR_FILENO + 1, kept);
    const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    (void)::dup2(nothing.get(), STDIN_FILENO);
}

// ---- its work

// What was started, by references that no later process can have.
class StartedPrograms {
  public:
    void add(pid_t pid, Descriptor end, bool ends_with_daemon) {
        std::erase_if(ends_, [](const auto& one) {
            pollfd is_over{one.second.end.get(), POLLIN, 0};
            return ::poll(&is_over, 1, 0) > 0;
        });
        ends_.insert_or_assign(pid, Started{std::move(end), ends_with_daemon});
    }
    // 0, or the error.
    [[nodiscard]] int signal(pid_t pid, int number) const {
        const auto found = ends_.find(pid);
        if (found == ends_.end()) return ESRCH;
        return send(found->second.end, number);
    }
    // Programs that do not notice the daemon's end. If their user is not the daemon's, the kernel
    // does not send them PR_SET_PDEATHSIG.
    void end_with_daemon() const {
        for (const auto& [pid, one] : ends_) {
            if (one.ends_with_daemon) (void)send(one.end, SIGKILL);
        }
    }

  private:
    struct Started {
        Descriptor end;  // a pidfd
        bool ends_with_daemon;
    };
    static int send(const Descriptor& end, int number) {
        return ::syscall(SYS_pidfd_send_signal, end.get(), number, nullptr, 0U) == 0 ? 0 : errno;
    }
    std::map<pid_t, Started> ends_;
};

class StarterProcess {
  public:
    StarterProcess(const std::vector<Starter::Program>& programs,
                   std::span<char* const> environment)
        : programs_(executables(programs)),
          starts_(environment),
          lends_(std::ranges::any_of(programs, &Starter::Program::gets_net_admin)),
          ends_others_(std::ranges::any_of(programs, &Starter::Program::ends_with_daemon)) {}

    void drop_rights() {
        constexpr std::array kUserChange{CAP_SETUID, CAP_SETGID, CAP_NET_ADMIN};
        end_with_parent();
        keep_only_capabilities(std::span(kUserChange).first(lends_ ? 3 : 2), lent());
    }

    Starter::Reply answer(const Starter::Request& request, std::vector<Descriptor> beside) {
        using Kind = Starter::Request::Kind;
        switch (request.kind) {
            case Kind::start:
                return start(request, beside);
            case Kind::become:
                return become(request);
            case Kind::signal:
                return {request.pid, started_.signal(request.pid, request.number)};
            case Kind::group:
                if (beside.size() != 1) break;
                starts_.use_group(std::move(beside.front()));
                return {};
        }
        return {0, EINVAL};
    }

    void end_with_daemon() const { started_.end_with_daemon(); }

  private:
    [[nodiscard]] std::span<const int> lent() const {
        static constexpr std::array kLent{CAP_NET_ADMIN};
        return std::span(kLent).first(lends_ ? 1 : 0);
    }

    // One that has to end others first sees the daemon's end by the socket alone.
    void end_with_parent() const {
        if (!ends_others_) (void)::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    }

    Starter::Reply start(const Starter::Request& request, const std::vector<Descriptor>& beside) {
        if (request.program >= programs_.size() || request.count > kMaxGiven ||
            request.has_rules > 1 || request.count + request.has_rules != beside.size())
            return {0, EINVAL};
        std::vector<int> given;
        given.reserve(beside.size());
        for (const Descriptor& one : beside)
            given.push_back(one.get());
        const Executable& what = programs_[request.program];
        Descriptor process;
        const Starter::Reply reply = starts_.start(what, request, given, process);
        if (reply.pid != 0)
            started_.add(reply.pid, std::move(process), what.program.ends_with_daemon);
        return reply;
    }

    Starter::Reply become(const Starter::Request& request) {
        const bool done = ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 &&
                          ::setgroups(0, nullptr) == 0 &&
                          ::setresgid(request.gid, request.gid, request.gid) == 0 &&
                          ::setresuid(request.uid, request.uid, request.uid) == 0;
        const int error = done ? 0 : errno;
        keep_only_capabilities(lent(), lent());
        end_with_parent();  // a change of the user undid it
        return {0, error};
    }

    const std::vector<Executable> programs_;
    ProgramStarter starts_;
    StartedPrograms started_;
    const bool lends_, ends_others_;
};

}  // namespace

void run_starter(Descriptor socket, const std::vector<Starter::Program>& programs, ThreadKind kind,
                 const char* name) {
    Descriptor own(::fcntl(socket.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    keep_only(own.get());
    (void)socket.take();  // closed, unless it is one of the standard descriptors
    const MadeEnvironment environment;
    leave_signals_to_daemon();
    sigset_t none;
    ::sigemptyset(&none);
    (void)::sigprocmask(SIG_SETMASK, &none, nullptr);  // blocked since before fork()
    (void)::prctl(PR_SET_NAME, name, 0, 0, 0);
    StarterProcess process(programs, environment.words());
    process.drop_rights();
    (void)filter_this_process(kind);
    SequencedSocket daemon(std::move(own), sizeof(Starter::Request));
    for (;;) {
        std::string_view bytes;
        std::vector<Descriptor> beside;
        Starter::Request request;
        if (daemon.receive(bytes, true, &beside) != SequencedSocket::End::done ||
            !read_bytes(bytes, request)) {
            process.end_with_daemon();
            ::_exit(EXIT_SUCCESS);
        }
        const Starter::Reply reply = process.answer(request, std::move(beside));
        (void)daemon.send(bytes_of(reply), true);
    }
}

}  // namespace steer
