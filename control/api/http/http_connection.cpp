#include "control/api/http/http_connection.h"

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <utility>

#include "control/host/process/no_throw.h"

namespace steer::ops {
namespace asio = boost::asio;
using stream::Io;
namespace {

constexpr std::size_t kReadBytes = 4 * 1024;

// Repeats a step whenever the socket is ready for it, until it is done. False: the connection ended.
asio::awaitable<bool> complete(HttpConnection& connection, Io (*step)(HttpConnection&)) {
    while (connection.stream.is_open()) {
        const Io io = step(connection);
        if (io == Io::done) co_return true;
        if (io != Io::wait_read && io != Io::wait_write) co_return false;
        const auto [error] = co_await connection.stream.wait(io, kNoThrow);
        if (error) co_return false;
    }
    co_return false;
}

Io read_part(HttpConnection& connection) {
    std::array<std::uint8_t, kReadBytes> part;
    std::size_t n = 0;
    const Io io = connection.stream.read(part, n);
    connection.in.append(reinterpret_cast<const char*>(part.data()), n);
    return io;
}

Io write_rest(HttpConnection& connection) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(connection.out.data());
    while (connection.written < connection.out.size()) {
        std::size_t n = 0;
        const Io io = connection.stream.write(
            {bytes + connection.written, connection.out.size() - connection.written}, n);
        if (io != Io::done) return io;
        connection.written += n;
    }
    connection.out.clear();
    connection.written = 0;
    return Io::done;
}

}  // namespace

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, const IpAddress& from)
    : stream(std::move(socket)),
      address(from),
      deadline(stream.socket().get_executor()),
      news(stream.socket().get_executor()) {}

void HttpConnection::close_after(const std::shared_ptr<HttpConnection>& self,
                                 std::chrono::seconds time) {
    deadline.expires_after(time);
    deadline.async_wait([weak = std::weak_ptr(self)](const boost::system::error_code& error) {
        const auto connection = weak.lock();
        if (error || !connection) return;
        connection->is_late = true;
        connection->close();
    });
}

void HttpConnection::close() {
    deadline.cancel();
    news.cancel();
    stream.close();
}

asio::awaitable<bool> wait_for_bytes(HttpConnection& connection) {
    if (!connection.stream.is_open()) co_return false;
    const auto [error] = co_await connection.stream.wait(Io::wait_read, kNoThrow);
    co_return !error;
}

asio::awaitable<bool> shake_hands(HttpConnection& connection) {
    return complete(connection, [](HttpConnection& one) { return one.stream.handshake(); });
}

asio::awaitable<bool> read_more(HttpConnection& connection) {
    return complete(connection, read_part);
}

asio::awaitable<bool> write_out(HttpConnection& connection) {
    return complete(connection, write_rest);
}

}  // namespace steer::ops
