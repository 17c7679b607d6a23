#include "control/streams/fetch/connection.h"

#include <netinet/tcp.h>

#include <boost/asio/post.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "control/host/process/no_throw.h"
#include "control/host/resolver/endpoint.h"

namespace steer::fetch {

namespace asio = boost::asio;
using asio::ip::tcp;
using stream::Io;

namespace {

constexpr std::size_t kReadBytes = 64 * 1024;

}  // namespace

struct Connection::Socket {
    explicit Socket(asio::io_context& io) : connecting(io) {}
    void close() {
        boost::system::error_code ignored;
        connecting.close(ignored);
        if (stream) stream->close();
    }
    tcp::socket connecting;  // then in `stream`
    std::optional<stream::ByteStream> stream;
    Time end = Time::max();
};

Connection::Connection(asio::io_context& io) : socket_(std::make_shared<Socket>(io)), timer_(io) {}

Connection::~Connection() {
    if (socket_->stream) socket_->stream->end_writing();
}

void Connection::until(Time end) {
    socket_->end = end;
    timer_.expires_at(end);
    timer_.async_wait([weak = std::weak_ptr(socket_)](const boost::system::error_code& error) {
        const auto socket = error ? nullptr : weak.lock();
        // (A timer that expired before it was set again still calls.)
        if (socket && std::chrono::steady_clock::now() >= socket->end) socket->close();
    });
}

bool Connection::fail(std::string why) {
    why_ = std::move(why);
    return false;
}

asio::awaitable<bool> Connection::connect(const IpAddress& address, std::uint16_t port,
                                          std::chrono::milliseconds ack_timeout) {
    const auto [error] = co_await socket_->connecting.async_connect(
        resolver::endpoint<tcp>(address, port), kNoThrow);
    if (error == asio::error::operation_aborted || !socket_->connecting.is_open())
        co_return fail("no answer");
    if (error) co_return fail(error.message());
    const int ack_ms = static_cast<int>(ack_timeout.count());
    (void)::setsockopt(socket_->connecting.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &ack_ms,
                       sizeof ack_ms);
    socket_->stream.emplace(std::move(socket_->connecting));
    co_return true;
}

bool Connection::is_late() {
    if (socket_->stream->is_open() && std::chrono::steady_clock::now() < socket_->end) return false;
    socket_->close();
    fail("it took too long");
    return true;
}

// (TLS has the socket's number, which another socket may get once it is closed.)
asio::awaitable<bool> Connection::wait(Io what) {
    const auto [error] = co_await socket_->stream->wait(what, kNoThrow);
    if (!socket_->stream->is_open()) co_return fail("it took too long");
    co_return !error || fail(error.message());
}

asio::awaitable<bool> Connection::secure(stream::TlsClient& tls, std::string_view remedy) {
    stream::ByteStream& stream = *socket_->stream;
    stream::SslPtr ssl = tls.new_connection();
    if (ssl == nullptr || !stream.secure(std::move(ssl))) co_return fail("no memory for TLS");
    for (;;) {
        const Io io = stream.handshake();
        if (io == Io::done) co_return true;
        if (io == Io::failed || io == Io::ended)
            co_return fail(tls.explain(stream.ssl(), stream.why(), remedy));
        const bool ready = co_await wait(io);
        if (!ready) co_return false;
    }
}

SSL* Connection::ssl() const {
    return socket_->stream ? socket_->stream->ssl() : nullptr;
}

bool Connection::is_refused() const {
    SSL* const ssl = this->ssl();
    return ssl != nullptr && stream::TlsClient::is_refused(ssl);
}

std::string_view Connection::protocol() const {
    return socket_->stream->protocol();
}

asio::awaitable<bool> Connection::write(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        std::size_t n = 0;
        const Io io = socket_->stream->write(bytes, n);
        if (io == Io::failed || io == Io::ended) co_return fail(socket_->stream->why());
        bytes = bytes.subspan(n);
        if (io == Io::done) continue;
        const bool ready = co_await wait(io);
        if (!ready) co_return false;
    }
    co_return true;
}

asio::awaitable<std::size_t> Connection::read(std::span<std::uint8_t> into) {
    // A fast server must not delay the timer or a stop.
    co_await asio::post(kNoThrow);
    for (;;) {
        if (is_late()) co_return 0;
        std::size_t n = 0;
        const Io io = socket_->stream->read(into, n);
        if (io == Io::done) co_return n;
        if (io == Io::ended || io == Io::failed) {
            fail(io == Io::ended ? "it closed the connection" : socket_->stream->why());
            co_return 0;
        }
        const bool ready = co_await wait(io);
        if (!ready) co_return 0;
    }
}

asio::awaitable<Talk> Connection::talk(stream::HttpClient& client,
                                       const std::function<bool()>& is_over) {
    std::vector<std::uint8_t> room(kReadBytes);
    bool can_write = true;
    for (unsigned turn = 1;; ++turn) {
        // A fast server must not delay the timer or a stop.
        if (turn % stream::kUpstreamReads == 0) co_await asio::post(kNoThrow);
        if (is_late()) co_return Talk::failed;
        for (auto out = client.next_output(); !out.empty(); out = client.next_output()) {
            // A server may close after its response; the response must still be read.
            if (can_write) can_write = co_await write(out);
            if (!socket_->stream->is_open()) co_return Talk::failed;
        }
        if (is_over()) co_return Talk::over;
        if (client.is_over()) {
            fail(client.why().empty() ? "it takes no more requests" : client.why());
            co_return Talk::failed;
        }
        std::size_t n = 0;
        const Io io = socket_->stream->read(room, n);
        if (io == Io::done) {
            client.receive({room.data(), n});
            if (is_over()) co_return Talk::over;
        } else if (io == Io::ended) {
            // Without a TLS close, a response that ends with the connection may be truncated by an attacker.
            if (!socket_->stream->was_cut()) client.receive_end();
            fail("it closed the connection");
            co_return is_over() ? Talk::over : Talk::ended;
        } else if (io == Io::failed) {
            fail(socket_->stream->why());
            co_return socket_->stream->error() == ECONNRESET ? Talk::ended : Talk::failed;
        } else {
            const bool ready = co_await wait(io);
            if (!ready) co_return Talk::failed;
        }
    }
}

}  // namespace steer::fetch
