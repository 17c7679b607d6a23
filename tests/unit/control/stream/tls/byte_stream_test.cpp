// A connection, plain and under TLS, step by step over a socket pair.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <tuple>

#include "control/host/net/byte_stream.h"
#include "control/host/net/tls_server.h"
#include "tls/tls_peer.h"

using namespace steer;
using namespace steer::test;
using stream::ByteStream;
using stream::Io;

namespace {

// Both ends of one connection.
struct Pair {
    explicit Pair(int send_buffer = 0) {
        int ends[2];
        BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        if (send_buffer > 0)
            ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
        ours = std::make_unique<ByteStream>(socket_of(ends[0]));
        theirs = std::make_unique<ByteStream>(socket_of(ends[1]));
    }
    boost::asio::ip::tcp::socket socket_of(int fd) { return {io, boost::asio::ip::tcp::v4(), fd}; }

    boost::asio::io_context io;
    std::unique_ptr<ByteStream> ours, theirs;
};

struct TlsPair : Pair {
    explicit TlsPair(Authority& believed, const std::string& name = "one.example",
                     int send_buffer = 0)
        : Pair(send_buffer), context(client_context(believed)) {
        BOOST_REQUIRE(server.load(files_of(folder, believed.issue("one.example"))).has_value());
        BOOST_REQUIRE(ours->secure(server.accept()));
        stream::SslPtr ssl(SSL_new(context.get()));
        SSL_set_connect_state(ssl.get());
        SSL_set1_host(ssl.get(), name.c_str());
        BOOST_REQUIRE(theirs->secure(std::move(ssl)));
    }
    // What became of both handshakes.
    std::pair<Io, Io> shake_hands() {
        Io server_io = Io::wait_read, client_io = Io::wait_read;
        for (int i = 0; i < 10; ++i) {
            if (client_io == Io::wait_read) client_io = theirs->handshake();
            if (server_io == Io::wait_read) server_io = ours->handshake();
        }
        return {server_io, client_io};
    }

    SkippingClock clock;
    TempFolder folder;
    stream::TlsServer server{{"dot"}, clock};
    stream::SslContextPtr context;
};

std::pair<Io, Bytes> read_some(ByteStream& from, std::size_t most = 65536) {
    Bytes bytes(most);
    std::size_t n = 0;
    const Io io = from.read(bytes, n);
    bytes.resize(n);
    return {io, bytes};
}

// Writes until it has to wait; returns how much that was.
std::size_t fill(ByteStream& to, Io& last) {
    const Bytes much(1 << 20, 7);
    std::size_t all = 0, n = 0;
    while ((last = to.write(much, n)) == Io::done)
        all += n;
    return all;
}

void check_filling(ByteStream& ours, ByteStream& theirs) {
    Io last = Io::done;
    const std::size_t written = fill(ours, last);
    BOOST_TEST((last == Io::wait_write));
    BOOST_TEST(written > 0U);
    std::size_t got = 0;
    for (auto [io, bytes] = read_some(theirs); io == Io::done;
         std::tie(io, bytes) = read_some(theirs)) {
        BOOST_TEST(std::all_of(bytes.begin(), bytes.end(), [](auto b) { return b == 7; }));
        got += bytes.size();
    }
    BOOST_TEST(got >= written);
    std::size_t n = 0;
    BOOST_TEST((ours.write(Bytes(1 << 20, 7), n) == Io::done));  // as much again, for TLS
    BOOST_TEST(n > 0U);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_byte_stream)

BOOST_AUTO_TEST_CASE(plain_bytes_come_in_pieces_until_the_end) {
    Pair pair;
    BOOST_TEST((read_some(*pair.theirs).first == Io::wait_read));
    std::size_t n = 0;
    BOOST_REQUIRE((pair.ours->write(Bytes{1, 2, 3}, n) == Io::done && n == 3));
    BOOST_TEST((read_some(*pair.theirs, 2).second == Bytes{1, 2}));
    BOOST_TEST((read_some(*pair.theirs).second == Bytes{3}));
    BOOST_TEST((read_some(*pair.theirs).first == Io::wait_read));
    pair.ours->end_writing();
    BOOST_TEST((read_some(*pair.theirs).first == Io::ended));
    BOOST_TEST((pair.theirs->write(Bytes{4}, n) == Io::done));  // the other way is open
    BOOST_TEST((read_some(*pair.ours).second == Bytes{4}));
}

BOOST_AUTO_TEST_CASE(plain_writes_stop_when_the_peer_does_not_read) {
    Pair pair(4096);
    check_filling(*pair.ours, *pair.theirs);
}

BOOST_AUTO_TEST_CASE(a_write_to_a_closed_peer_fails) {
    Pair pair;
    pair.theirs->close();
    std::size_t n = 0;
    BOOST_TEST((pair.ours->write(Bytes{1}, n) == Io::failed));
    BOOST_TEST(pair.ours->error() == EPIPE);
    BOOST_TEST(!pair.ours->why().empty());
}

BOOST_AUTO_TEST_CASE(tls_carries_bytes_in_both_directions) {
    Authority authority;
    TlsPair pair(authority);
    BOOST_TEST(pair.ours->protocol().empty());
    BOOST_TEST((pair.shake_hands() == std::pair{Io::done, Io::done}));
    std::size_t n = 0;
    BOOST_REQUIRE((pair.theirs->write(Bytes{1, 2, 3}, n) == Io::done));
    BOOST_TEST((read_some(*pair.ours, 1).second == Bytes{1}));
    BOOST_TEST((read_some(*pair.ours).second == Bytes{2, 3}));
    BOOST_TEST((read_some(*pair.ours).first == Io::wait_read));
    BOOST_REQUIRE((pair.ours->write(Bytes{9}, n) == Io::done));
    BOOST_TEST((read_some(*pair.theirs).second == Bytes{9}));
}

BOOST_AUTO_TEST_CASE(tls_writes_stop_when_the_peer_does_not_read) {
    Authority authority;
    TlsPair pair(authority, "one.example", 1 << 16);  // more than a record
    BOOST_REQUIRE((pair.shake_hands() == std::pair{Io::done, Io::done}));
    check_filling(*pair.ours, *pair.theirs);
}

BOOST_AUTO_TEST_CASE(tls_ends_by_close_notify_or_with_the_connection) {
    for (const bool politely : {true, false}) {
        Authority authority;
        TlsPair pair(authority);
        BOOST_REQUIRE((pair.shake_hands() == std::pair{Io::done, Io::done}));
        BOOST_REQUIRE((read_some(*pair.theirs).first == Io::wait_read));  // it has the tickets
        if (politely) pair.theirs->end_writing();
        pair.theirs->close();
        BOOST_TEST_CONTEXT("politely " << politely) {
            BOOST_TEST((read_some(*pair.ours).first == Io::ended));
            BOOST_TEST(pair.ours->was_cut() == !politely, pair.ours->why());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_handshake_that_is_cut_off_fails) {
    Authority authority;
    TlsPair pair(authority);
    BOOST_TEST((pair.theirs->handshake() == Io::wait_read));
    BOOST_TEST((pair.ours->handshake() == Io::wait_read));
    pair.theirs->close();
    BOOST_TEST((pair.ours->handshake() == Io::failed));
    BOOST_TEST(!pair.ours->why().empty());
}

BOOST_AUTO_TEST_CASE(an_untrusted_certificate_is_named) {
    Authority believed, other;
    TlsPair pair(believed);
    pair.context = client_context(other);
    stream::SslPtr ssl(SSL_new(pair.context.get()));
    SSL_set_connect_state(ssl.get());
    BOOST_REQUIRE(pair.theirs->secure(std::move(ssl)));
    BOOST_TEST((pair.shake_hands().second == Io::failed));
    BOOST_TEST(pair.theirs->why() == "certificate signature failure");
    BOOST_TEST(pair.theirs->error() == EPROTO);
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_name_is_named) {
    Authority authority;
    TlsPair pair(authority, "two.example");
    BOOST_TEST((pair.shake_hands().second == Io::failed));
    BOOST_TEST(pair.theirs->why().find("ostname mismatch") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
