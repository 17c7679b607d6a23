#include "control/host/process/program_start.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>
#include <utility>

#include "control/host/process/program_filter.h"
#include "control/host/process/reported_call.h"
#include "control/host/process/rights.h"
#include "control/host/process/sequenced_socket.h"

namespace steer {
namespace {

constexpr int kFreeFd = 64;  // above those that a child gets
constexpr int kExecFailed = 127;

// What the new process reports. Its end of the socket is closed by a successful execve().
struct StartReport {
    int error = 0;      // it could not start
    int unguarded = 0;  // ProgramFilter::error; beside it is the listener, if there is one
};

// The numbers come from the daemon, which may have been taken over: from kFreeFd on they would
// replace the opened program.
bool are_targets_free(std::span<const int> targets) {
    return std::ranges::all_of(targets, [](int fd) { return fd >= 0 && fd < kFreeFd; });
}

// ---- the new process, until it executes the program

class NewProcess {
  public:
    NewProcess(const Executable& what, const Starter::Request& request,
               std::span<char* const> environment, SequencedSocket reports)
        : what_(what), request_(request), environment_(environment), reports_(std::move(reports)) {}

    [[noreturn]] void run(std::span<const int> given, const Descriptor& group, bool listens) {
        if (group.get() >= 0) (void)!::write(group.get(), "0", 1);  // itself
        place_descriptors(given);
        reset_signals();
        take_limits();
        confine(listens);
        execute();
    }

  private:
    [[noreturn]] void fail() const {
        const StartReport report{errno, 0};
        (void)reports_.send(bytes_of(report), true);
        ::_exit(kExecFailed);
    }

    // A copy above the targets.
    [[nodiscard]] int moved(int fd) const {
        const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, kFreeFd);
        if (copy < 0) fail();
        return copy;
    }

    void place_descriptors(std::span<const int> given) {
        const auto targets = std::span(request_.targets).first(request_.count);
        std::array<int, kMaxGiven> copies{};
        for (std::size_t i = 0; i < targets.size(); ++i)
            copies[i] = moved(given[i]);
        if (request_.has_rules != 0) rules_ = moved(given.back());
        const int opened = what_.file.get() >= 0 ? what_.file.get() : what_.open_now();
        if (opened < 0) fail();
        program_ = moved(opened);
        reports_ = SequencedSocket(Descriptor(moved(reports_.fd())), sizeof(StartReport));
        for (std::size_t i = 0; i < targets.size(); ++i) {
            if (::dup2(copies[i], targets[i]) < 0) fail();
        }
        // All others are closed by execve(): the starter has none without O_CLOEXEC.
    }

    static void reset_signals() {
        sigset_t none;
        ::sigemptyset(&none);
        for (int number = 1; number <= SIGRTMAX; ++number)
            (void)::signal(number, SIG_DFL);
        (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
    }

    void take_limits() const {
        (void)::sched_setaffinity(0, sizeof request_.cpus, &request_.cpus);
        if (request_.most_bytes != 0) {
            const rlimit most{request_.most_bytes, request_.most_bytes};
            (void)::setrlimit(RLIMIT_AS, &most);
        }
        ::umask(what_.program.umask);
        if (what_.program.ends_with_daemon) (void)::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (what_.program.gets_net_admin) {
            (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0);
        } else {
            keep_only_capabilities({});
        }
    }

    void confine(bool listens) const {
        if (rules_ >= 0) {
            (void)::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            if (::syscall(SYS_landlock_restrict_self, rules_, 0) != 0) fail();
        }
        if (!what_.program.filter) return;
        const ProgramFilter filter = filter_program_to_come(*what_.program.filter, listens);
        const StartReport report{0, filter.error};
        const int listener = filter.listener.get();
        const auto beside = std::span(&listener, listener >= 0 ? 1 : 0);
        if (reports_.send(bytes_of(report), true, beside) != SequencedSocket::End::done)
            ::_exit(kExecFailed);
    }

    [[noreturn]] void execute() const {
        auto* const* const words = what_.arguments.data();
        auto* const* const environment = environment_.data();
        (void)::syscall(SYS_execveat, program_, "", words, environment, AT_EMPTY_PATH);
        // A script: its interpreter cannot open a file that is closed by execve().
        if (errno == ENOENT && !what_.program.files.empty())
            (void)::execve(what_.program.files.front().c_str(), words, environment);
        fail();
    }

    const Executable& what_;
    const Starter::Request& request_;
    const std::span<char* const> environment_;
    SequencedSocket reports_;
    int rules_ = -1, program_ = -1;
};

bool has_event(int fd) {
    pollfd one{fd, POLLIN, 0};
    return ::poll(&one, 1, 0) != 0;
}

}  // namespace

// ---- the table

int Executable::open_now() const {
    if (program.is_self) return ::open("/proc/self/exe", O_PATH | O_CLOEXEC);
    int opened = -1;
    errno = ENOENT;
    for (const std::string& name : program.files) {
        opened = ::open(name.c_str(), O_PATH | O_CLOEXEC);
        if (opened >= 0) break;
    }
    return opened;
}

std::vector<Executable> executables(const std::vector<Starter::Program>& programs) {
    std::vector<Executable> all;
    for (const Starter::Program& program : programs) {
        Executable one{program};
        for (const std::string& word : program.words)
            one.arguments.push_back(const_cast<char*>(word.c_str()));
        one.arguments.push_back(nullptr);
        if (!program.is_opened_by_start) one.file = Descriptor(one.open_now());
        all.push_back(std::move(one));
    }
    return all;
}

// ---- the starter's end

Starter::Reply ProgramStarter::start(const Executable& what, const Starter::Request& request,
                                     std::span<const int> given, Descriptor& process) {
    if (what.program.never_as_root && ::geteuid() == 0) return {0, EPERM};
    if (!are_targets_free(std::span(request.targets).first(request.count))) return {0, EINVAL};
    auto [ours, theirs] = SequencedSocket::pair(sizeof(StartReport));
    if (ours.get() < 0) return {0, errno};
    // As fork(), but the new process becomes a child of this one's parent.
    int end = -1;
    const auto pid = static_cast<pid_t>(::syscall(SYS_clone, CLONE_PARENT | CLONE_PIDFD | SIGCHLD,
                                                  nullptr, &end, nullptr, nullptr));
    if (pid < 0) return {0, errno};
    if (pid == 0) {
        ours = Descriptor();
        NewProcess(what, request, environment_,
                   SequencedSocket(std::move(theirs), sizeof(StartReport)))
            .run(given, group_, listens_);
    }
    process = Descriptor(end);
    theirs = Descriptor();
    return follow(pid, std::move(ours));
}

// Until the program runs, or the new process has ended.
Starter::Reply ProgramStarter::follow(pid_t pid, Descriptor reports) {
    SequencedSocket socket(std::move(reports), sizeof(StartReport));
    Starter::Reply reply{pid};
    std::vector<Descriptor> beside;
    for (;;) {
        const int listener = beside.empty() ? -1 : beside.front().get();
        std::array<pollfd, 2> events{{{socket.fd(), POLLIN, 0}, {listener, POLLIN, 0}}};
        if (::poll(events.data(), events.size(), -1) < 0) continue;
        if (events[0].revents != 0) {
            std::string_view bytes;
            std::vector<Descriptor> more;
            StartReport report;
            // The end comes with a successful execve(). Closes the listener.
            if (socket.receive(bytes, true, &more) != SequencedSocket::End::done ||
                !read_bytes(bytes, report))
                return reply;
            if (report.error != 0) {
                reply.error = report.error;
                return reply;
            }
            reply.unguarded = report.unguarded;
            beside = std::move(more);
        } else if (ReportedCall call; call.receive(listener) && !has_event(socket.fd())) {
            // The socket was open when this call waited already: it is not one of the program.
            if (!call.let_pass(listener)) {
                listens_ = listens_ && errno != EINVAL;
                (void)call.refuse(listener, ENOSYS);
            }
        }
    }
}

}  // namespace steer
