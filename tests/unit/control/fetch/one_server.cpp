#include "one_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

namespace steer::fetch_test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    return at;
}

// A bound socket, and its port.
std::pair<int, std::uint16_t> bound(int type) {
    const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    sockaddr_in at = loopback(0);
    BOOST_REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    socklen_t size = sizeof at;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
    return {fd, ntohs(at.sin_port)};
}

void send_all(int fd, const void* bytes, std::size_t size) {
    const auto* at = static_cast<const char*>(bytes);
    while (size > 0) {
        const ssize_t n = ::send(fd, at, size, MSG_NOSIGNAL);
        if (n <= 0) return;
        at += n;
        size -= static_cast<std::size_t>(n);
    }
}

bool read_all(int fd, void* bytes, std::size_t size) {
    return ::recv(fd, bytes, size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

}  // namespace

OneServer::OneServer(Handler handler) : handler_(std::move(handler)) {
    std::tie(listener_, port_) = bound(SOCK_STREAM);
    ::listen(listener_, 16);
    thread_ = std::thread([this] { serve(); });
}

OneServer::~OneServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    for (const int fd : held_)
        ::close(fd);
}

std::string OneServer::url(const std::string& target, const std::string& host) const {
    return "http://" + host + ":" + std::to_string(port_) + target;
}

std::vector<std::string> OneServer::requests() {
    const std::scoped_lock lock(mutex_);
    return requests_;
}

void OneServer::serve() {
    for (;;) {
        const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) return;
        converse(connection);
    }
}

void OneServer::converse(int connection) {
    std::string request;
    std::array<char, 4096> part{};
    while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t n = ::recv(connection, part.data(), part.size(), 0);
        if (n <= 0) break;
        request.append(part.data(), static_cast<std::size_t>(n));
    }
    {
        const std::scoped_lock lock(mutex_);
        requests_.push_back(request);
    }
    const Reply reply = handler_(request);
    send_all(connection, reply.bytes.data(), reply.bytes.size());
    if (reply.hold) {
        held_.push_back(connection);
    } else {
        ::shutdown(connection, SHUT_WR);
        while (::recv(connection, part.data(), part.size(), 0) > 0) {
        }
        ::close(connection);
    }
}

std::string ok(const std::string& body, const std::string& fields) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + fields +
           "\r\n" + body;
}

OneResolver::OneResolver(Says says) : says_(says), end_(::eventfd(0, EFD_CLOEXEC)) {
    // A port that is free for UDP and TCP: a port that is free for UDP may belong to a TCP connection.
    for (;;) {
        std::tie(udp_, port_) = bound(SOCK_DGRAM);
        tcp_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const sockaddr_in at = loopback(port_);
        if (::bind(tcp_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) break;
        BOOST_REQUIRE(errno == EADDRINUSE);
        ::close(udp_);
        ::close(tcp_);
    }
    ::listen(tcp_, 4);
    thread_ = std::thread([this] { serve(); });
}

OneResolver::~OneResolver() {
    const std::uint64_t one = 1;
    BOOST_REQUIRE(::write(end_, &one, sizeof one) == sizeof one);
    thread_.join();
    for (const int fd : {udp_, tcp_, end_})
        ::close(fd);
}

void OneResolver::serve() {
    std::array<pollfd, 3> all{{{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}, {end_, POLLIN, 0}}};
    while (::poll(all.data(), all.size(), -1) > 0 && all[2].revents == 0) {
        if (all[0].revents != 0) {
            std::vector<std::uint8_t> query(4096);
            sockaddr_in from{};
            socklen_t size = sizeof from;
            const ssize_t n = ::recvfrom(udp_, query.data(), query.size(), 0,
                                         reinterpret_cast<sockaddr*>(&from), &size);
            query.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
            ++asked_;
            const auto reply = answer(std::move(query), false);
            if (!reply.empty())
                ::sendto(udp_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from),
                         size);
        }
        if (all[1].revents != 0) {
            const int connection = ::accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
            std::array<std::uint8_t, 2> length{};
            if (read_all(connection, length.data(), 2)) {
                std::vector<std::uint8_t> query(std::size_t{length[0]} << 8 | length[1]);
                if (read_all(connection, query.data(), query.size())) {
                    ++asked_by_tcp_;
                    auto reply = answer(std::move(query), true);
                    reply.insert(reply.begin(), {static_cast<std::uint8_t>(reply.size() >> 8),
                                                 static_cast<std::uint8_t>(reply.size() & 0xff)});
                    send_all(connection, reply.data(), reply.size());
                }
            }
            ::close(connection);
        }
    }
}

// The question is what it was, without its OPT.
std::vector<std::uint8_t> OneResolver::answer(std::vector<std::uint8_t> query, bool tcp) const {
    if (says_ == Says::nothing || query.size() < 17) return {};
    std::size_t end = 12;
    while (end < query.size() && query[end] != 0)
        end += query[end] + 1U;
    const bool wants_v4 = query[end + 2] == 1;
    query.resize(end + 5);
    query[2] = 0x81;  // QR, RD
    query[3] = says_ == Says::no_such_name ? 0x83 : says_ == Says::failure ? 0x82 : 0x80;
    query[10] = query[11] = 0;  // no OPT
    if (says_ == Says::truncated && !tcp) query[2] |= 0x02;
    const bool has_answer =
        wants_v4 && (says_ == Says::address || (says_ == Says::truncated && tcp));
    if (has_answer) {
        query[7] = 1;
        const std::array<std::uint8_t, 16> record{0xc0, 12, 0, 1, 0,   1, 0, 0,
                                                  0,    60, 0, 4, 127, 0, 0, 1};
        query.insert(query.end(), record.begin(), record.end());
    }
    return query;
}

}  // namespace steer::fetch_test
