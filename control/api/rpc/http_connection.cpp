#include "control/api/rpc/http_connection.h"

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <span>
#include <utility>

#include "control/host/process/no_throw.h"

namespace steer::ops {
namespace asio = boost::asio;
using stream::Io;
namespace {

constexpr std::size_t kReadBytes = 4 * 1024;

bool must_wait(Io io) {
    return io == Io::wait_read || io == Io::wait_write;
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
    while (connection.stream.is_open()) {
        const Io io = connection.stream.handshake();
        if (io == Io::done) co_return true;
        if (!must_wait(io)) co_return false;
        const auto [error] = co_await connection.stream.wait(io, kNoThrow);
        if (error) co_return false;
    }
    co_return false;
}

asio::awaitable<bool> read_more(HttpConnection& connection) {
    std::array<std::uint8_t, kReadBytes> part;
    while (connection.stream.is_open()) {
        std::size_t n = 0;
        const Io io = connection.stream.read(part, n);
        if (io == Io::done) {
            connection.in.append(reinterpret_cast<const char*>(part.data()), n);
            co_return true;
        }
        if (!must_wait(io)) co_return false;
        const auto [error] = co_await connection.stream.wait(io, kNoThrow);
        if (error) co_return false;
    }
    co_return false;
}

asio::awaitable<bool> write_out(HttpConnection& connection) {
    const std::string& text = connection.out;
    std::span<const std::uint8_t> left(reinterpret_cast<const std::uint8_t*>(text.data()),
                                       text.size());
    while (!left.empty()) {
        if (!connection.stream.is_open()) co_return false;
        std::size_t n = 0;
        const Io io = connection.stream.write(left, n);
        if (io == Io::done) {
            left = left.subspan(n);
            continue;
        }
        if (!must_wait(io)) co_return false;
        const auto [error] = co_await connection.stream.wait(io, kNoThrow);
        if (error) co_return false;
    }
    connection.out.clear();
    co_return true;
}

}  // namespace steer::ops
