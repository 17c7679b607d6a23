#include "control/ops/control_socket.h"

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
#include <utility>

#include "control/ops/accept.h"
#include "control/ops/audit.h"

namespace steer::ops {
namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;
namespace {

constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;

// One client. The timer closes it when it has been silent for too long.
struct Session {
    explicit Session(Protocol::socket s) : socket(std::move(s)), silence(socket.get_executor()) {}

    void arm(const std::shared_ptr<Session>& self) {
        silence.expires_after(kControlIdle);
        silence.async_wait([weak = std::weak_ptr(self)](const boost::system::error_code& error) {
            const auto session = weak.lock();
            if (!error && session) session->close();
        });
    }
    void close() {
        boost::system::error_code ignored;
        silence.cancel();
        socket.close(ignored);
    }

    Protocol::socket socket;
    asio::steady_timer silence;
    Peer peer;
    std::uint64_t last_heard = 0;  // by Impl::turns
    bool is_busy = false;          // waits for a method's result
};

Peer peer_of(Protocol::socket& socket) {
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return {};
    return {who.uid, who.gid, who.pid};
}

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

std::string_view without_line_end(std::string_view line) {
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

struct ControlSocket::Impl : std::enable_shared_from_this<Impl> {
    Impl(asio::io_context& context, const JsonRpc& methods, Audit log)
        : io(context), rpc(methods), audit(std::move(log)), acceptor(context), pause(context) {}

    // The first argument keeps this object for as long as the coroutine lives.
    asio::awaitable<void> accept_all(std::shared_ptr<Impl> self);
    asio::awaitable<void> serve(std::shared_ptr<Impl>, std::shared_ptr<Session> session);
    asio::awaitable<std::string> answer_to(std::shared_ptr<Session> session, std::string line);
    static asio::awaitable<bool> send(Session& session, std::string line);
    static asio::awaitable<void> turn_away(std::shared_ptr<Session> session);
    bool evict_the_idlest();

    // Whether the socket in the folder is still our socket.
    [[nodiscard]] bool owns_path() const {
        struct stat found {};
        return !path.empty() && ::lstat(path.c_str(), &found) == 0 && found.st_ino == inode;
    }

    asio::io_context& io;
    const JsonRpc& rpc;
    Audit audit;
    Protocol::acceptor acceptor;
    asio::steady_timer pause;
    std::set<std::shared_ptr<Session>> sessions;
    std::uint64_t turns = 0;  // requests and connections so far
    std::string path;
    ino_t inode = 0;
};

// False: each waits for a result.
bool ControlSocket::Impl::evict_the_idlest() {
    const auto idlest =
        std::min_element(sessions.begin(), sessions.end(), [](const auto& a, const auto& b) {
            return std::pair(a->is_busy, a->last_heard) < std::pair(b->is_busy, b->last_heard);
        });
    if (idlest == sessions.end() || (*idlest)->is_busy) return false;
    (*idlest)->close();
    sessions.erase(idlest);
    return true;
}

asio::awaitable<bool> ControlSocket::Impl::send(Session& session, std::string line) {
    line += '\n';
    const auto [error, _] =
        co_await asio::async_write(session.socket, asio::buffer(line), kNoThrow);
    co_return !error;
}

asio::awaitable<void> ControlSocket::Impl::turn_away(std::shared_ptr<Session> session) {
    session->arm(session);
    co_await send(*session, JsonRpc::refusal(RpcCode::internal_error,
                                             "too many control sessions: close one of them"));
    session->close();
}

// At once, or when the method is done. A waiting session does not count as idle.
asio::awaitable<std::string> ControlSocket::Impl::answer_to(std::shared_ptr<Session> session,
                                                            std::string line) {
    struct Pending {
        explicit Pending(asio::io_context& context) : ready(context) {}
        asio::steady_timer ready;
        std::string answer;
        bool is_there = false;
    };
    const auto pending = std::make_shared<Pending>(io);
    pending->ready.expires_at(asio::steady_timer::time_point::max());
    rpc.handle(
        line,
        [pending](std::string answer) {
            pending->answer = std::move(answer);
            pending->is_there = true;
            pending->ready.cancel();
        },
        [audit = audit, peer = session->peer](
            const Method& method, const boost::json::value& params, const RpcResult& result) {
            if (audit && method.changes.by(params))
                audit(audit_line(peer, method.name, params, result));
        });
    if (!pending->is_there) {
        session->silence.cancel();
        session->is_busy = true;
        co_await pending->ready.async_wait(kNoThrow);
        session->is_busy = false;
        session->arm(session);
    }
    session->last_heard = ++turns;
    co_return std::move(pending->answer);
}

asio::awaitable<void> ControlSocket::Impl::serve(std::shared_ptr<Impl>,
                                                 std::shared_ptr<Session> session) {
    std::string buffer;
    for (;;) {
        session->arm(session);
        const auto [error, length] = co_await asio::async_read_until(
            session->socket, asio::dynamic_buffer(buffer, kMaxControlLine), '\n', kNoThrow);
        if (error == asio::error::not_found) {
            const std::string why =
                "a line of more than " + std::to_string(kMaxControlLine) + " bytes";
            co_await send(*session, JsonRpc::refusal(RpcCode::invalid_request, why));
        }
        if (error || !acceptor.is_open()) break;
        const auto line = without_line_end(std::string_view(buffer).substr(0, length));
        std::string answer;
        if (!line.empty()) answer = co_await answer_to(session, std::string(line));
        buffer.erase(0, length);
        if (!answer.empty() && !co_await send(*session, std::move(answer))) break;
    }
    session->close();
    sessions.erase(session);
}

asio::awaitable<void> ControlSocket::Impl::accept_all(std::shared_ptr<Impl> self) {
    co_await accept_each(acceptor, pause, [this, &self](Protocol::socket socket) {
        auto session = std::make_shared<Session>(std::move(socket));
        session->peer = peer_of(session->socket);
        session->last_heard = ++turns;
        if (sessions.size() >= kMaxControlSessions && !evict_the_idlest()) {
            asio::co_spawn(io, turn_away(std::move(session)), asio::detached);
            return;
        }
        sessions.insert(session);
        asio::co_spawn(io, serve(self, std::move(session)), asio::detached);
    });
}

ControlSocket::ControlSocket(asio::io_context& io, const JsonRpc& rpc, Audit audit)
    : impl_(std::make_shared<Impl>(io, rpc, std::move(audit))) {}
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
    if (!error && ::chmod(path.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) != 0) {
        error.assign(errno, boost::system::system_category());
    }
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
