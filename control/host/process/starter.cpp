#include "control/host/process/starter.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <span>
#include <utility>

#include "control/host/process/call_filters.h"
#include "control/host/process/child_main.h"
#include "control/host/process/rights.h"
#include "control/host/process/sequenced_socket.h"

namespace steer {

// ---- the messages

namespace {
constexpr std::size_t kMaxGiven = 4;
static_assert(kMaxGiven <= SequencedSocket::kMaxDescriptors);
}  // namespace

struct Starter::Request {
    enum class Kind : std::uint32_t { start, become, signal, group } kind = Kind::start;
    std::uint32_t program = 0;
    std::uint32_t count = 0;  // of `targets`, and of the descriptors beside the message
    std::array<int, kMaxGiven> targets{};
    cpu_set_t cpus{};
    uid_t uid = 0;
    gid_t gid = 0;
    std::uint64_t most_bytes = 0;
    pid_t pid = 0;  // of `signal`
    int number = 0;
};

struct Starter::Reply {
    pid_t pid = 0;
    int error = 0;
};

namespace {

constexpr int kFreeFd = 64;  // above those that a child gets
constexpr int kExecFailed = 127;
constexpr timeval kReplyPatience{10, 0};

// ---- the starter's end

// A program of the table, ready to be executed.
struct Executable {
    const Starter::Program& program;
    std::vector<char*> arguments;
    Descriptor file{-1};

    // -1: none of the files is there.
    [[nodiscard]] int open_now() const {
        if (program.is_self) return ::open("/proc/self/exe", O_PATH | O_CLOEXEC);
        int opened = -1;
        errno = ENOENT;
        for (const std::string& name : program.files) {
            opened = ::open(name.c_str(), O_PATH | O_CLOEXEC);
            if (opened >= 0) break;
        }
        return opened;
    }
};

std::vector<Executable> executables(const std::vector<Starter::Program>& programs) {
    std::vector<Executable> all;
    for (const Starter::Program& program : programs) {
        Executable one{program, {}};
        for (const std::string& word : program.words)
            one.arguments.push_back(const_cast<char*>(word.c_str()));
        one.arguments.push_back(nullptr);
        if (!program.is_opened_by_start) one.file = Descriptor(one.open_now());
        all.push_back(std::move(one));
    }
    return all;
}

// In the new process: executes the program. `given`: its descriptors, in the order of
// request.targets.
[[noreturn]] void execute(const Executable& what, const Starter::Request& request,
                          std::span<const int> given, const Descriptor& group, int error_pipe) {
    const auto fail = [&error_pipe] {
        const int error = errno;
        (void)!::write(error_pipe, &error, sizeof error);
        ::_exit(kExecFailed);
    };
    if (group.get() >= 0) (void)!::write(group.get(), "0", 1);  // itself
    std::array<int, kMaxGiven> moved{};
    for (std::size_t i = 0; i < given.size(); ++i) {
        moved[i] = ::fcntl(given[i], F_DUPFD_CLOEXEC, kFreeFd);
        if (moved[i] < 0) fail();
    }
    const int opened = what.file.get() >= 0 ? what.file.get() : what.open_now();
    if (opened < 0) fail();
    const int program = ::fcntl(opened, F_DUPFD_CLOEXEC, kFreeFd);
    error_pipe = ::fcntl(error_pipe, F_DUPFD_CLOEXEC, kFreeFd);
    if (program < 0 || error_pipe < 0) fail();
    int last = STDERR_FILENO;
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (::dup2(moved[i], request.targets[i]) < 0) fail();
        last = std::max(last, request.targets[i]);
    }
    for (int fd = STDERR_FILENO + 1; fd < last; ++fd) {
        const auto end = request.targets.begin() + static_cast<std::ptrdiff_t>(given.size());
        if (std::find(request.targets.begin(), end, fd) == end) ::close(fd);
    }
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
    (void)::syscall(SYS_close_range, static_cast<unsigned>(last + 1), ~0U, CLOSE_RANGE_CLOEXEC);
    sigset_t none;
    ::sigemptyset(&none);
    for (int number = 1; number <= SIGRTMAX; ++number)
        (void)::signal(number, SIG_DFL);
    (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
    (void)::sched_setaffinity(0, sizeof request.cpus, &request.cpus);
    if (request.most_bytes != 0) {
        const rlimit most{request.most_bytes, request.most_bytes};
        (void)::setrlimit(RLIMIT_AS, &most);
    }
    ::umask(what.program.umask);
    if (what.program.ends_with_daemon) (void)::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (what.program.gets_net_admin) {
        (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0);
    } else {
        keep_only_capabilities({});
    }
    auto* const* const words = what.arguments.data();
    (void)::syscall(SYS_execveat, program, "", words, environ, AT_EMPTY_PATH);
    // A script: its interpreter cannot open a file that is closed by execve().
    if (errno == ENOENT && !what.program.files.empty())
        (void)::execve(what.program.files.front().c_str(), words, environ);
    fail();
    ::_exit(kExecFailed);
}

// The numbers come from the daemon, which may have been taken over: from kFreeFd on they would
// replace the opened program.
bool are_targets_free(std::span<const int> targets) {
    return std::ranges::all_of(targets, [](int fd) { return fd >= 0 && fd < kFreeFd; });
}

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
    int signal(pid_t pid, int number) const {
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

Starter::Reply start_one(const Executable& what, const Starter::Request& request,
                         std::span<const int> given, const Descriptor& group,
                         StartedPrograms& started) {
    if (!are_targets_free(std::span(request.targets).first(given.size()))) return {0, EINVAL};
    if (what.program.never_as_root && ::geteuid() == 0) return {0, EPERM};
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return {0, errno};
    Descriptor out(pipe[0]), in(pipe[1]);
    // As fork(), but the new process becomes a child of this one's parent.
    int end = -1;
    const auto pid = static_cast<pid_t>(::syscall(SYS_clone, CLONE_PARENT | CLONE_PIDFD | SIGCHLD,
                                                  nullptr, &end, nullptr, nullptr));
    if (pid < 0) return {0, errno};
    if (pid == 0) execute(what, request, given, group, in.get());
    started.add(pid, Descriptor(end), what.program.ends_with_daemon);
    in = Descriptor(-1);
    int error = 0;
    ssize_t got = 0;
    do {
        got = ::read(out.get(), &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    return {pid, got == static_cast<ssize_t>(sizeof error) ? error : 0};
}

// One that has to end others first sees the daemon's end by the socket alone.
void end_with_parent(bool ends_others) {
    if (!ends_others) (void)::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

Starter::Reply become_user(const Starter::Request& request, std::span<const int> lent,
                           bool ends_others) {
    const bool done = ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && ::setgroups(0, nullptr) == 0 &&
                      ::setresgid(request.gid, request.gid, request.gid) == 0 &&
                      ::setresuid(request.uid, request.uid, request.uid) == 0;
    const int error = done ? 0 : errno;
    keep_only_capabilities(lent, lent);
    end_with_parent(ends_others);  // a change of the user undid it
    return {0, error};
}

template <class Message>
std::string_view bytes_of(const Message& message) {
    return {reinterpret_cast<const char*>(&message), sizeof message};
}

// False: its size is wrong.
template <class Message>
bool read_bytes(std::string_view bytes, Message& out) {
    if (bytes.size() != sizeof out) return false;
    std::memcpy(&out, bytes.data(), sizeof out);
    return true;
}

// Ends the process when the daemon has closed its end of the socket.
[[noreturn]] void serve(SequencedSocket socket, const std::vector<Starter::Program>& programs,
                        ThreadKind kind, const char* name) {
    leave_signals_to_daemon();
    sigset_t none;
    ::sigemptyset(&none);
    (void)::sigprocmask(SIG_SETMASK, &none, nullptr);  // blocked since before fork()
    (void)::prctl(PR_SET_NAME, name, 0, 0, 0);
    const bool ends_others = std::ranges::any_of(programs, &Starter::Program::ends_with_daemon);
    end_with_parent(ends_others);
    const auto all = executables(programs);
    constexpr std::array kAll{CAP_SETUID, CAP_SETGID, CAP_NET_ADMIN};
    const bool lends = std::ranges::any_of(programs, &Starter::Program::gets_net_admin);
    const std::span<const int> kept = std::span(kAll).first(lends ? 3 : 2);
    const std::span<const int> lent = std::span(kAll).subspan(2, lends ? 1 : 0);
    keep_only_capabilities(kept, lent);
    StartedPrograms started;
    Descriptor group;  // of use_group()
    (void)filter_this_process(kind);
    for (;;) {
        std::string_view bytes;
        std::vector<Descriptor> beside;
        Starter::Request request;
        if (socket.receive(bytes, true, &beside) != SequencedSocket::End::done ||
            !read_bytes(bytes, request)) {
            started.end_with_daemon();
            ::_exit(EXIT_SUCCESS);
        }
        std::vector<int> given;
        given.reserve(beside.size());
        for (const Descriptor& one : beside)
            given.push_back(one.get());
        Starter::Reply reply{0, EINVAL};
        if (request.kind == Starter::Request::Kind::become) {
            reply = become_user(request, lent, ends_others);
        } else if (request.kind == Starter::Request::Kind::signal) {
            reply = {request.pid, started.signal(request.pid, request.number)};
        } else if (request.kind == Starter::Request::Kind::group) {
            if (beside.size() == 1) {
                group = std::move(beside.front());
                reply = {0, 0};
            }
        } else if (request.program < all.size() && request.count == given.size() &&
                   given.size() <= kMaxGiven) {
            reply = start_one(all[request.program], request, given, group, started);
        }
        (void)socket.send(bytes_of(reply), true);
    }
}

Starter*& starter_of_process() {
    static Starter* one = nullptr;
    return one;
}

}  // namespace

// ---- the other end

Starter::Starter(std::vector<Program> programs, ThreadKind kind, const char* name)
    : programs_(std::move(programs)) {
    auto [ours, theirs] = SequencedSocket::pair(sizeof(Request));
    if (ours.get() < 0) {
        error_ = errno;
        return;
    }
    sigset_t all, before;
    ::sigfillset(&all);
    (void)::sigprocmask(SIG_SETMASK, &all, &before);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ours = Descriptor(-1);
        serve(SequencedSocket(std::move(theirs), sizeof(Request)), programs_, kind, name);
    }
    (void)::sigprocmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) {
        error_ = errno;
        return;
    }
    (void)::setsockopt(ours.get(), SOL_SOCKET, SO_RCVTIMEO, &kReplyPatience, sizeof kReplyPatience);
    pid_ = pid;
    socket_ = SequencedSocket(std::move(ours), sizeof(Reply));
}

Starter::~Starter() {
    if (starter_in_use() == this) use_starter(nullptr);
    if (pid_ == 0) return;
    socket_ = SequencedSocket();
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

bool Starter::is_alive() const {
    const std::scoped_lock lock(mutex_);
    pollfd end{socket_.fd(), 0, 0};
    return socket_.fd() >= 0 && (::poll(&end, 1, 0) <= 0 || (end.revents & POLLHUP) == 0);
}

Starter::Reply Starter::ask(const Request& request,
                            std::initializer_list<GivenDescriptor> descriptors) {
    const std::scoped_lock lock(mutex_);
    if (socket_.fd() < 0) return {0, error_ != 0 ? error_ : ECHILD};
    if (descriptors.size() > kMaxGiven) std::abort();
    Request sent = request;
    std::array<int, kMaxGiven> own{};
    for (const GivenDescriptor& one : descriptors) {
        own[sent.count] = one.own;
        sent.targets[sent.count++] = one.target;
    }
    auto end = socket_.send(bytes_of(sent), true, std::span(own).first(sent.count));
    std::string_view bytes;
    if (end == SequencedSocket::End::done) end = socket_.receive(bytes, true);
    Reply reply;
    if (end == SequencedSocket::End::done && read_bytes(bytes, reply)) return reply;
    error_ = end == SequencedSocket::End::full ? ETIMEDOUT : ECHILD;
    socket_ = SequencedSocket();
    return {0, error_};
}

pid_t Starter::start(std::string_view name, std::initializer_list<GivenDescriptor> descriptors,
                     std::uint64_t most_bytes) {
    const auto found = std::ranges::find(programs_, name, &Program::name);
    if (found == programs_.end()) std::abort();
    Request request;
    request.program = static_cast<std::uint32_t>(found - programs_.begin());
    request.most_bytes = most_bytes;
    if (::sched_getaffinity(0, sizeof request.cpus, &request.cpus) != 0)
        std::memset(&request.cpus, -1, sizeof request.cpus);
    const Reply reply = ask(request, descriptors);
    if (reply.error == 0) return reply.pid;
    if (reply.pid != 0) ::waitpid(reply.pid, nullptr, 0);
    errno = reply.error;
    return 0;
}

bool Starter::signal(pid_t pid, int number) {
    Request request;
    request.kind = Request::Kind::signal;
    request.pid = pid;
    request.number = number;
    errno = ask(request, {}).error;
    return errno == 0;
}

bool Starter::use_group(int members) {
    Request request;
    request.kind = Request::Kind::group;
    errno = ask(request, {{members, 0}}).error;
    return errno == 0;
}

bool Starter::become(uid_t uid, gid_t gid) {
    Request request;
    request.kind = Request::Kind::become;
    request.uid = uid;
    request.gid = gid;
    errno = ask(request, {}).error;
    return errno == 0;
}

void use_starter(Starter* starter) {
    starter_of_process() = starter;
}

Starter* starter_in_use() {
    return starter_of_process();
}

}  // namespace steer
