// A client of an HTTP server on 127.0.0.1 that says any bytes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "../require.h"

namespace steer::fuzz {

inline int connect_to(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    return fd;
}

// Runs the server until it has sent its whole response.
inline std::string all_of(int fd, boost::asio::io_context& io) {
    std::string out;
    std::array<char, 4096> part{};
    for (;;) {
        io.poll();
        const int now = 1;  // or what follows waits for an acknowledgement that takes its time
        ::setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &now, sizeof now);
        const ssize_t n = ::recv(fd, part.data(), part.size(), MSG_DONTWAIT);
        if (n > 0) out.append(part.data(), static_cast<std::size_t>(n));
        if (n == 0) return out;
        if (n < 0 && errno != EAGAIN) return out;  // it hung up while more was coming
    }
}

// What the server says to these bytes, until it hangs up.
inline std::string response_to(const std::uint8_t* data, std::size_t size, std::uint16_t port,
                               boost::asio::io_context& io) {
    const int fd = connect_to(port);
    if (size > 0) REQUIRE(::send(fd, data, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size));
    ::shutdown(fd, SHUT_WR);
    std::string response = all_of(fd, io);
    ::close(fd);
    io.poll();
    return response;
}

using Headers = boost::beast::http::response_header<>;

// Those of the first response; none if nothing was reported. Responses to HEAD have the length of a body that is not there, so
// only what begins one is checked.
inline std::optional<Headers> check(const std::string& response) {
    if (response.empty()) return std::nullopt;
    boost::beast::http::response_parser<boost::beast::http::string_body> parser;
    parser.skip(true);
    boost::system::error_code error;
    parser.put(boost::asio::buffer(response), error);
    REQUIRE(!error && parser.is_header_done());
    REQUIRE(parser.get()[boost::beast::http::field::server].starts_with("steerdnsd/"));
    return parser.get();
}

}  // namespace steer::fuzz
