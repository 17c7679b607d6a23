// One connection of HttpServer: its bytes, its request and reply, and its timers.
//
// Coroutines of this server take references to what outlives them and return numbers or nothing; texts, requests and
// replies are members of the connection. GCC 12 moves a temporary of a co_await expression bytewise into the coroutine's
// frame, which breaks a std::string that holds its text in itself. So no co_await expression makes a temporary other than
// the awaitable.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>

#include "control/api/http/http_access.h"
#include "control/api/http/http_reply.h"
#include "control/host/net/byte_stream.h"
#include "matchers/prefix/ip_address.h"

namespace steer::ops {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;

struct HttpConnection {
    HttpConnection(boost::asio::ip::tcp::socket socket, const IpAddress& from);

    // As for all functions below, `self` is this connection.
    void close_after(const std::shared_ptr<HttpConnection>& self, std::chrono::seconds time);
    void close();
    // Those with the least worth make room first.
    [[nodiscard]] auto worth() const { return std::tuple(is_busy, is_stream, is_known, turn); }

    stream::ByteStream stream;
    IpAddress address;
    boost::asio::steady_timer deadline;  // closes the connection
    boost::asio::steady_timer news;      // cancelled when its stream has something
    std::string in;                      // read and not parsed
    std::string out;                     // to be written
    std::size_t written = 0;             // of it
    HttpRequest request;                 // the last one
    Reply reply;                         // to it
    HttpUser user;                       // who sent it
    std::uint64_t turn = 0;              // of its last request or answer, by HttpServer's count
    bool is_known = false;               // it was let in
    bool is_busy = false;                // it waits for a method
    bool is_stream = false;              // its answer goes on
    bool is_late = false;                // the deadline closed it
    bool is_displaced = false;           // to a newer connection
};
using ConnectionPtr = std::shared_ptr<HttpConnection>;

// Returns false if the connection ended.
boost::asio::awaitable<bool> wait_for_bytes(HttpConnection& connection);
boost::asio::awaitable<bool> shake_hands(HttpConnection& connection);
// Appends the available bytes to `in`.
boost::asio::awaitable<bool> read_more(HttpConnection& connection);
// Writes `out`.
boost::asio::awaitable<bool> write_out(HttpConnection& connection);

}  // namespace steer::ops
