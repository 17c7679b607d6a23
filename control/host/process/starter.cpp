#include "control/host/process/starter.h"

#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <span>
#include <utility>

#include "control/host/process/starter_messages.h"
#include "control/host/process/starter_process.h"

namespace steer {

namespace {

constexpr timeval kReplyPatience{10, 0};

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
    if (pid == 0) run_starter(std::move(theirs), programs_, kind, name);
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
                            std::initializer_list<GivenDescriptor> descriptors, int file_rules) {
    const std::scoped_lock lock(mutex_);
    if (socket_.fd() < 0) return {0, error_ != 0 ? error_ : ECHILD};
    if (descriptors.size() > kMaxGiven) std::abort();
    Request sent = request;
    std::array<int, kMaxGiven + 1> own{};
    for (const GivenDescriptor& one : descriptors) {
        own[sent.count] = one.own;
        sent.targets[sent.count++] = one.target;
    }
    sent.has_rules = file_rules >= 0 ? 1 : 0;
    own[sent.count] = file_rules;
    auto end =
        socket_.send(bytes_of(sent), true, std::span(own).first(sent.count + sent.has_rules));
    std::string_view bytes;
    if (end == SequencedSocket::End::done) end = socket_.receive(bytes, true);
    Reply reply;
    if (end == SequencedSocket::End::done && read_bytes(bytes, reply)) return reply;
    error_ = end == SequencedSocket::End::full ? ETIMEDOUT : ECHILD;
    socket_ = SequencedSocket();
    return {0, error_};
}

pid_t Starter::start(std::string_view name, std::initializer_list<GivenDescriptor> descriptors,
                     Limits limits) {
    const auto found = std::ranges::find(programs_, name, &Program::name);
    if (found == programs_.end()) std::abort();
    Request request;
    request.program = static_cast<std::uint32_t>(found - programs_.begin());
    request.most_bytes = limits.most_bytes;
    if (::sched_getaffinity(0, sizeof request.cpus, &request.cpus) != 0)
        std::memset(&request.cpus, -1, sizeof request.cpus);
    const Reply reply = ask(request, descriptors, limits.file_rules);
    if (reply.error == 0) {
        const std::scoped_lock lock(mutex_);
        if (found->filter) unguarded_ = reply.unguarded;
        return reply.pid;
    }
    if (reply.pid != 0) ::waitpid(reply.pid, nullptr, 0);
    errno = reply.error;
    return 0;
}

int Starter::unguarded() const {
    const std::scoped_lock lock(mutex_);
    return unguarded_;
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
