#include "control/api/rpc/control_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "control/api/http/accept.h"
#include "control/api/rpc/pending_call.h"
#include "dataplane/port/descriptor.h"

namespace steer::ops {
namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;
namespace {

constexpr std::size_t kUsualLine = 64 * 1024;  // a session with longer ones gives the memory back
constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;

// One client. The timer closes it when it has been silent for too long, or has read nothing.
struct Session {
    explicit Session(Protocol::socket s)
        : socket(std::move(s)),
          silence(socket.get_executor()),
          turn(socket.get_executor()),
          news(socket.get_executor()) {
        turn.expires_at(asio::steady_timer::time_point::max());
        news.expires_at(asio::steady_timer::time_point::max());
    }

    void arm(const std::shared_ptr<Session>& self) {
        silence.expires_after(kControlIdle);
        silence.async_wait([weak = std::weak_ptr(self)](const boost::system::error_code& error) {
            const auto session = weak.lock();
            if (!error && session) session->close();
        });
    }
    // It waits for the client, who may be silent if it has subscriptions.
    void arm_for_request(const std::shared_ptr<Session>& self) {
        if (has_subscriptions()) {
            silence.cancel();
        } else {
            arm(self);
        }
    }
    [[nodiscard]] bool has_subscriptions() const {
        return caller.feed != nullptr && caller.feed->is_used();
    }
    void close() {
        boost::system::error_code ignored;
        silence.cancel();
        turn.cancel();
        news.cancel();
        socket.close(ignored);
    }

    Protocol::socket socket;
    asio::steady_timer silence;
    asio::steady_timer turn;  // cancelled when a write is done
    asio::steady_timer news;  // cancelled when the feed has something
    Caller caller;
    std::uint64_t last_request = 0;  // by Impl::turns
    bool is_busy = false;            // waits for a method's result
    bool is_writing = false;
    bool is_notifying = false;  // the coroutine that sends notifications runs
};

// Checks `path`. Empty: free, or an unused socket that was removed; else an error text.
std::string clear_place(const std::string& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) {
        if (errno == ENOENT) return {};
        return "the control socket " + path + " cannot be looked at: " + std::strerror(errno);
    }
    if (!S_ISSOCK(found.st_mode)) {
        return path + " is there and is no socket: remove it, or choose another control.socket";
    }
    asio::io_context io;
    Protocol::socket probe(io, Protocol());
    boost::system::error_code error;
    probe.non_blocking(true, error);
    probe.connect(Protocol::endpoint(path), error);  // NOLINT: a local connect does not wait
    if (!error || error == asio::error::would_block) {
        return "another steerdnsd answers on " + path +
               ": stop it, or give this one another control.socket";
    }
    if (error != asio::error::connection_refused) {
        return "the control socket " + path + " cannot be taken over: " + error.message();
    }
    if (::unlink(path.c_str()) != 0) {
        return "the dead control socket " + path + " cannot be removed: " + std::strerror(errno);
    }
    return {};
}

// By a descriptor: the daemon's user owns the folder, and may exchange the entry. False: see errno.
bool set_mode(const std::string& path, mode_t mode) {
    const Descriptor at(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat is {};
    if (at.get() < 0 || ::fstat(at.get(), &is) != 0) return false;
    errno = EEXIST;
    return S_ISSOCK(is.st_mode) &&
           ::chmod(("/proc/self/fd/" + std::to_string(at.get())).c_str(), mode) == 0;
}

std::string_view without_line_end(std::string_view line) {
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

struct ControlSocket::Impl : std::enable_shared_from_this<Impl> {
    Impl(asio::io_context& context, const JsonRpc& methods, Options what)
        : io(context), rpc(methods), options(std::move(what)), acceptor(context), pause(context) {}

    // The first argument keeps this object for as long as the coroutine lives.
    asio::awaitable<void> accept_all(std::shared_ptr<Impl> self);
    asio::awaitable<void> serve(std::shared_ptr<Impl>, std::shared_ptr<Session> session);
    // Replaces `line`, a request, by its answer; empty: there is none.
    asio::awaitable<void> answer_to(const std::shared_ptr<Session>& session, std::string& line);
    // `line` outlives the coroutine; no temporaries, see http_connection.h.
    static asio::awaitable<bool> send(const std::shared_ptr<Session>& session, std::string& line);
    static asio::awaitable<void> turn_away(std::shared_ptr<Session> session, std::string why);
    static asio::awaitable<void> notify(std::shared_ptr<Session> session);
    std::shared_ptr<Session> session_of(Protocol::socket socket);
    bool evict_the_idlest();
    void log_refusal(const std::string& who);

    // Whether the socket in the folder is still our socket.
    [[nodiscard]] bool owns_path() const {
        struct stat found {};
        return !path.empty() && ::lstat(path.c_str(), &found) == 0 && found.st_ino == inode;
    }

    asio::io_context& io;
    const JsonRpc& rpc;
    Options options;
    Protocol::acceptor acceptor;
    asio::steady_timer pause;
    std::set<std::shared_ptr<Session>> sessions;
    std::uint64_t turns = 0;  // requests and connections so far
    std::chrono::steady_clock::time_point refusal_logged{};
    std::string path;
    ino_t inode = 0;
};

// False: each waits for a result.
bool ControlSocket::Impl::evict_the_idlest() {
    const auto idlest =
        std::min_element(sessions.begin(), sessions.end(), [](const auto& a, const auto& b) {
            const auto worth = [](const Session& one) {
                return std::tuple(one.is_busy, one.has_subscriptions(), one.last_request);
            };
            return worth(*a) < worth(*b);
        });
    if (idlest == sessions.end() || (*idlest)->is_busy) return false;
    (*idlest)->close();
    sessions.erase(idlest);
    return true;
}

// One line at a time: answers and notifications take turns.
asio::awaitable<bool> ControlSocket::Impl::send(const std::shared_ptr<Session>& session,
                                                std::string& line) {
    while (session->is_writing)
        co_await session->turn.async_wait(kNoThrow);
    if (!session->socket.is_open()) co_return false;
    line += '\n';
    session->is_writing = true;
    const auto [error, _] =
        co_await asio::async_write(session->socket, asio::buffer(line), kNoThrow);
    session->is_writing = false;
    session->turn.cancel();
    co_return !error;
}

asio::awaitable<void> ControlSocket::Impl::turn_away(std::shared_ptr<Session> session,
                                                     std::string why) {
    session->arm(session);
    co_await send(session, why);
    session->close();
}

// Until the session is closed.
asio::awaitable<void> ControlSocket::Impl::notify(std::shared_ptr<Session> session) {
    while (session->socket.is_open()) {
        auto text = session->caller.feed->next();
        if (!text) {
            co_await session->news.async_wait(kNoThrow);
            continue;
        }
        session->arm(session);  // for a client that reads nothing
        if (!co_await send(session, *text)) break;
        if (session->is_busy) {
            session->silence.cancel();
        } else {
            session->arm_for_request(session);
        }
    }
    session->close();
}

// At once, or when the method is done. A waiting session does not count as idle.
asio::awaitable<void> ControlSocket::Impl::answer_to(const std::shared_ptr<Session>& session,
                                                     std::string& line) {
    const auto pending = begin_call(io, rpc, line, session->caller, options.audit);
    if (!pending->is_there) {
        session->silence.cancel();
        session->is_busy = true;
        co_await pending->ready.async_wait(kNoThrow);
        session->is_busy = false;
        session->arm(session);
    }
    if (session->has_subscriptions() && !std::exchange(session->is_notifying, true))
        asio::co_spawn(io, notify(session), asio::detached);
    session->last_request = ++turns;
    line = std::move(pending->answer);
}

asio::awaitable<void> ControlSocket::Impl::serve(std::shared_ptr<Impl>,
                                                 std::shared_ptr<Session> session) {
    std::string buffer;
    for (;;) {
        session->arm_for_request(session);
        const auto [error, length] = co_await asio::async_read_until(
            session->socket, asio::dynamic_buffer(buffer, kMaxControlLine), '\n', kNoThrow);
        if (error == asio::error::not_found) {
            std::string why =
                JsonRpc::refusal(RpcCode::invalid_request,
                                 "the request is longer than " + std::to_string(kMaxControlLine) +
                                     " bytes (4 MiB): send a shorter one");
            co_await send(session, why);
        }
        if (error || !acceptor.is_open()) break;
        std::string line(without_line_end(std::string_view(buffer).substr(0, length)));
        buffer.erase(0, length);
        if (buffer.capacity() > kUsualLine) buffer.shrink_to_fit();
        if (!line.empty()) co_await answer_to(session, line);
        if (!line.empty() && !co_await send(session, line)) break;
    }
    session->close();
    sessions.erase(session);
}

// At most one a second: a peer without a role must not fill the log.
void ControlSocket::Impl::log_refusal(const std::string& who) {
    const auto now = std::chrono::steady_clock::now();
    if (!options.audit || now - refusal_logged < std::chrono::seconds(1)) return;
    refusal_logged = now;
    options.audit("control session of " + who + ": refused: the user has no role");
}

std::shared_ptr<Session> ControlSocket::Impl::session_of(Protocol::socket socket) {
    auto session = std::make_shared<Session>(std::move(socket));
    const auto peer = peer_of(session->socket.native_handle());
    constexpr const char* kUnknown = "an unknown process";
    session->caller = {.role = peer ? options.roles.of(*peer) : AccessRole::none,
                       .who = peer ? peer->text() : kUnknown,
                       .name = peer ? options.users.of(peer->uid) : kUnknown,
                       .owner = peer ? "uid " + std::to_string(peer->uid) : ""};
    if (options.subscriptions != nullptr) {
        session->caller.feed =
            std::make_shared<Feed>(options.subscriptions, [weak = std::weak_ptr(session)] {
                if (const auto woken = weak.lock()) woken->news.cancel();
            });
    }
    session->last_request = ++turns;
    return session;
}

asio::awaitable<void> ControlSocket::Impl::accept_all(std::shared_ptr<Impl> self) {
    co_await accept_each(acceptor, pause, [this, &self](Protocol::socket socket) {
        auto session = session_of(std::move(socket));
        std::string refusal;
        if (session->caller.role == AccessRole::none) {
            const std::string why =
                "your user has no role: ask the administrator for one (`roles` "
                "of `control`)";
            log_refusal(session->caller.who);
            refusal = JsonRpc::refusal(RpcCode::forbidden, why);
        } else if (sessions.size() >= kMaxControlSessions && !evict_the_idlest()) {
            refusal = JsonRpc::refusal(RpcCode::internal_error,
                                       "too many control sessions: close one of them");
        }
        if (!refusal.empty()) {
            asio::co_spawn(io, turn_away(std::move(session), std::move(refusal)), asio::detached);
            return;
        }
        sessions.insert(session);
        asio::co_spawn(io, serve(self, std::move(session)), asio::detached);
    });
}

ControlSocket::ControlSocket(asio::io_context& io, const JsonRpc& rpc, Options options)
    : impl_(std::make_shared<Impl>(io, rpc, std::move(options))) {}
ControlSocket::ControlSocket(asio::io_context& io, const JsonRpc& rpc)
    : ControlSocket(io, rpc, Options{}) {}
ControlSocket::~ControlSocket() {
    close();
}

Result<void> ControlSocket::listen(const std::string& path) {
    if (path.empty() || path.size() > kMaxPath) {
        return Error{"the path of the control socket has " + std::to_string(path.size()) +
                     " bytes: a socket's path has 1 to " + std::to_string(kMaxPath)};
    }
    const auto folder = std::filesystem::path(path).parent_path();
    std::error_code no_folder;
    if (!folder.empty()) std::filesystem::create_directories(folder, no_folder);
    if (no_folder) {
        return Error{"the folder of the control socket, " + folder.string() + ", cannot be made: " +
                     no_folder.message() + "; make it, or choose another control.socket"};
    }
    if (auto sentence = clear_place(path); !sentence.empty()) return Error{std::move(sentence)};

    boost::system::error_code error;
    auto& acceptor = impl_->acceptor;
    acceptor.open(Protocol(), error);
    if (!error) acceptor.bind(Protocol::endpoint(path), error);
    // No client can connect before listen(), so the mode is already right for the first one.
    constexpr mode_t kOwners = S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP;
    const mode_t mode = impl_->options.roles.are_set() ? kOwners | S_IROTH | S_IWOTH : kOwners;
    if (!error && !set_mode(path, mode)) error.assign(errno, boost::system::system_category());
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        boost::system::error_code ignored;
        acceptor.close(ignored);
        return Error{"the control socket " + path + " cannot be made: " + error.message() +
                     "; run as root, or choose a control.socket in a folder of your own"};
    }
    struct stat made {};
    if (::lstat(path.c_str(), &made) == 0) impl_->inode = made.st_ino;
    impl_->path = path;
    asio::co_spawn(impl_->io, impl_->accept_all(impl_), asio::detached);
    return {};
}

std::size_t ControlSocket::sessions() const {
    return impl_->sessions.size();
}

void ControlSocket::close() {
    boost::system::error_code ignored;
    impl_->acceptor.close(ignored);
    impl_->pause.cancel();
    for (const auto& session : impl_->sessions)
        session->close();
    if (impl_->owns_path()) ::unlink(impl_->path.c_str());
    impl_->path.clear();
}

}  // namespace steer::ops
