// The connection of a lane, against a server that the test plays on the same thread: what is repeated, and what is not.
#include "control/sinks/opnsense/api_lane.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace steer::opnsense {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// What the server does with a request.
enum class Does : std::uint8_t { answer, answer_and_close, close, hang };

struct LaneLab {
    struct Peer {
        explicit Peer(tcp::socket s) : socket(std::move(s)) {}
        tcp::socket socket;
        std::array<char, 4'096> room{};
        std::string text;
    };

    explicit LaneLab(std::deque<Does> does) : script(std::move(does)) {
        plan.address = *IpAddress::parse("127.0.0.1");
        plan.port = listener.local_endpoint().port();
        plan.tls = false;
        plan.connect_timeout_ms = 5'000;
        plan.receive_timeout_ms = 5'000;
        accept();
    }

    void accept() {
        listener.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
            if (error) return;
            ++connections;
            read(std::make_shared<Peer>(std::move(socket)));
            accept();
        });
    }

    // Requests have no content.
    void read(const std::shared_ptr<Peer>& peer) {
        peer->socket.async_read_some(
            asio::buffer(peer->room),
            [this, peer](const boost::system::error_code& error, std::size_t size) {
                if (error) return;
                peer->text.append(peer->room.data(), size);
                if (!peer->text.ends_with("\r\n\r\n")) return read(peer);
                peer->text.clear();
                ++requests;
                if (serve(*peer)) read(peer);
            });
    }

    bool serve(Peer& peer) {
        BOOST_TEST_REQUIRE(!script.empty());
        const Does does = script.front();
        script.pop_front();
        if (on_request) on_request();
        if (does == Does::answer || does == Does::answer_and_close) {
            asio::write(
                peer.socket,
                asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")));
        }
        return does == Does::answer || does == Does::hang;
    }

    void start() {
        if (!lane) lane = std::make_shared<ApiLane>(io, plan);
        replies.emplace_back();
        lane->ask(describe_aliases(), [this](const ApiReply& reply) { replies.back() = reply; });
    }
    void finish() {
        while (lane->is_busy() && io.run_one() > 0) {
        }
    }
    // The reply's status, or why there is none.
    std::string ask() {
        start();
        finish();
        const auto& reply = replies.back();
        if (!reply) return "nothing";
        return reply->why.empty() ? std::to_string(reply->status) : reply->why;
    }

    // A socket of this process that is connected to the server.
    [[nodiscard]] int socket_to_server() const {
        for (int fd = 3; fd < 1'024; ++fd) {
            sockaddr_in peer{};
            socklen_t size = sizeof peer;
            if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
                peer.sin_family == AF_INET && ntohs(peer.sin_port) == plan.port)
                return fd;
        }
        return -1;
    }

    std::deque<Does> script;
    asio::io_context io{1};
    tcp::acceptor listener{io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    build::OpnsensePlan plan;
    std::shared_ptr<ApiLane> lane;
    std::vector<std::optional<ApiReply>> replies;
    std::function<void()> on_request;
    unsigned connections = 0, requests = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(opnsense_api_lane)

BOOST_AUTO_TEST_CASE(requests_share_a_connection) {
    LaneLab lab({Does::answer, Does::answer});
    BOOST_TEST(lab.ask() == "200");
    BOOST_TEST(lab.ask() == "200");
    BOOST_TEST(lab.connections == 1);
}

BOOST_AUTO_TEST_CASE(a_request_is_repeated_if_the_router_closed_the_kept_connection) {
    for (const auto& script : {std::deque{Does::answer_and_close, Does::answer},
                               std::deque{Does::answer, Does::close, Does::answer}}) {
        LaneLab lab(script);
        BOOST_TEST(lab.ask() == "200");
        BOOST_TEST(lab.ask() == "200");
        BOOST_TEST(lab.script.empty());
        BOOST_TEST(lab.connections == 2);
    }
}

BOOST_AUTO_TEST_CASE(a_request_on_a_new_connection_is_not_repeated) {
    LaneLab lab({Does::close});
    BOOST_TEST(lab.ask() == "gives no reply: it closed the connection");
    BOOST_TEST(lab.requests == 1);
}

BOOST_AUTO_TEST_CASE(a_request_that_took_too_long_is_not_repeated) {
    LaneLab lab({Does::answer, Does::hang, Does::hang});
    lab.plan.receive_timeout_ms = 200;
    BOOST_TEST(lab.ask() == "200");
    BOOST_TEST(lab.ask() == "gives no reply: it took too long");
    BOOST_TEST(lab.requests == 2);
    BOOST_TEST(lab.connections == 1);
}

BOOST_AUTO_TEST_CASE(a_stopped_lane_sends_nothing_more) {
    LaneLab lab({Does::answer, Does::hang, Does::answer});
    BOOST_TEST(lab.ask() == "200");
    lab.on_request = [&] { lab.lane->stop(); };
    BOOST_TEST(lab.ask() == "nothing");
    BOOST_TEST(lab.requests == 2);
    BOOST_TEST(lab.connections == 1);
}

BOOST_AUTO_TEST_CASE(a_lane_that_is_stopped_before_it_began_sends_nothing) {
    LaneLab lab({Does::answer, Does::answer});
    BOOST_TEST(lab.ask() == "200");
    lab.start();
    lab.lane->stop();
    lab.finish();
    lab.io.poll();
    BOOST_TEST(lab.requests == 1);
}

BOOST_AUTO_TEST_CASE(a_dead_router_is_noticed_by_the_kernel_after_3_s) {
    LaneLab lab({Does::answer});
    BOOST_TEST(lab.ask() == "200");
    int timeout_ms = 0;
    socklen_t size = sizeof timeout_ms;
    BOOST_TEST(::getsockopt(lab.socket_to_server(), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
                            &size) == 0);
    BOOST_TEST(timeout_ms == 3'000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::opnsense
