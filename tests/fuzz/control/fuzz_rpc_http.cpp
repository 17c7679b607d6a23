// A client of /rpc, /events and the page that says any bytes, without a token, on a connection to 127.0.0.1: what comes back is whole responses
// of HTTP, and the connection ends.
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
#include <memory>
#include <string>

#include "../require.h"
#include "control/ops/rpc_server.h"
#include "dataplane/base/clock.h"

using namespace steer;
namespace http = boost::beast::http;

namespace {

struct Served {
    Served() {
        methods.add({.name = "change",
                     .help = "Changes.",
                     .changes = ops::Changes::always(),
                     .run = [](const ops::Arguments& asked) -> ops::RpcResult {
                         // No input has the token.
                         REQUIRE(asked.caller().role == AccessRole::none);
                         return nullptr;
                     }});
        REQUIRE(server.listen().has_value());
    }
    static config::RpcServer settings() {
        const std::array<std::uint8_t, 4> loopback{127, 0, 0, 1};
        config::RpcServer settings{.listen = {IpAddress::from_v4(loopback.data()), 0}};
        settings.tokens = {{.name = "t", .hash = std::string(64, '0'), .role = AccessRole::admin}};
        return settings;
    }
    boost::asio::io_context io{1};
    BootClock clock;
    ops::Methods methods;
    ops::JsonRpc rpc{methods};
    ops::RpcServer server{
        io,
        rpc,
        clock,
        {.settings = settings(), .subscriptions = std::make_shared<ops::Subscriptions>(io)}};
};

int connect_to(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    return fd;
}

// Runs the server until it has sent its whole response.
std::string all_of(int fd, boost::asio::io_context& io) {
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

// Responses to HEAD have the length of a body that is not there, so only what begins one is looked at.
void check(const std::string& said) {
    if (said.empty()) return;
    http::response_parser<http::string_body> parser;
    parser.skip(true);
    boost::system::error_code error;
    parser.put(boost::asio::buffer(said), error);
    REQUIRE(!error && parser.is_header_done());
    REQUIRE(parser.get()[http::field::server].starts_with("steerdnsd/"));
    REQUIRE(parser.get().count("content-security-policy") == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static auto& served = *new Served;
    if (size > 32 * 1024) return 0;
    const int fd = connect_to(served.server.port());
    if (size > 0) REQUIRE(::send(fd, data, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size));
    ::shutdown(fd, SHUT_WR);
    check(all_of(fd, served.io));
    ::close(fd);
    served.io.poll();
    return 0;
}
