// DNS over HTTP/1.1 as a client under TLS: a response that ends with the connection is whole only if TLS was ended.
#include <sys/socket.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "control/host/net/tls_server.h"
#include "control/streams/upstream/http_upstream.h"
#include "http/http_peer.h"
#include "tls/tls_peer.h"

using namespace steer;
using namespace steer::test;
using stream::ByteStream;
using stream::Io;

namespace {

struct NoWatcher final : stream::SessionWatcher {
    void on_room(stream::UpstreamSession&) override {}
    void on_ended(stream::UpstreamSession&, const std::string&) override { has_ended = true; }
    bool has_ended = false;
};

// A session, and its server's end of the connection.
struct SecureSession {
    SecureSession() {
        std::array<int, 2> ends{};
        BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
        ByteStream ours(socket_of(ends[0]));
        theirs = std::make_unique<ByteStream>(socket_of(ends[1]));
        BOOST_REQUIRE(server.load(files_of(folder, authority.issue("one.example"))).has_value());
        BOOST_REQUIRE(theirs->secure(server.accept()));
        stream::SslPtr ssl(SSL_new(client.get()));
        SSL_set_connect_state(ssl.get());
        BOOST_REQUIRE(ours.secure(std::move(ssl)));
        Io our_io = Io::wait_read, their_io = Io::wait_read;
        for (int i = 0; i < 10; ++i) {
            if (our_io == Io::wait_read) our_io = ours.handshake();
            if (their_io == Io::wait_read) their_io = theirs->handshake();
        }
        BOOST_REQUIRE((our_io == Io::done && their_io == Io::done));
        stream::UpstreamTarget target;
        target.host = "one.example";
        target.path = "/dns-query";
        session = make_http_session(context, std::move(ours), target, watcher);
    }
    ~SecureSession() { session->close(); }
    boost::asio::ip::tcp::socket socket_of(int fd) {
        return {context.io, boost::asio::ip::tcp::v4(), fd};
    }
    void turn_until_it_ends() {
        for (int i = 0; i < 1000 && !watcher.has_ended; ++i) {
            context.io.restart();
            context.io.poll();
        }
        BOOST_REQUIRE(watcher.has_ended);
    }

    BufferPools buffers{64, 4};
    SkippingClock clock;
    stream::StreamContext context{0, {}, buffers, clock};
    TempFolder folder;
    Authority authority;
    stream::TlsServer server{{"dot"}, clock};
    stream::SslContextPtr client = client_context(authority);
    std::unique_ptr<ByteStream> theirs;
    NoWatcher watcher;
    std::shared_ptr<stream::UpstreamSession> session;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_http_client_tls)

BOOST_AUTO_TEST_CASE(a_response_without_length_needs_close_notify) {
    for (const bool politely : {true, false}) {
        SecureSession s;
        int error = -1;
        stream::Retry retry = stream::Retry::never;
        s.session->ask(make_query(7, "n.example"), s.clock.now().ms + 10'000,
                       [&](const stream::SessionReply& reply) {
                           error = reply.error;
                           retry = reply.retry;
                       });
        const Bytes response =
            bytes_of_text("HTTP/1.0 200 OK\r\nContent-Type: application/dns-message\r\n\r\n") +
            make_response(make_query(0, "n.example"), 1);
        std::size_t n = 0;
        BOOST_REQUIRE((s.theirs->write(response, n) == Io::done && n == response.size()));
        if (politely) s.theirs->end_writing();
        // Without waiting for the request: the kernel takes the request's bytes, and the peer never reads them.
        ::shutdown(s.theirs->socket().native_handle(), SHUT_WR);
        s.turn_until_it_ends();
        BOOST_TEST_CONTEXT("politely " << politely) {
            BOOST_TEST(error == (politely ? 0 : ECONNRESET));
            BOOST_TEST((retry == stream::Retry::never) == politely);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
