// Upstreams by kernel sockets: replies find their query, lies do not, errors come back, ports
// change.

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <set>
#include <vector>

#include "world.h"

using namespace steer;
using namespace steer::test;
using stream::Transport;

BOOST_AUTO_TEST_SUITE(stream_upstream)

BOOST_AUTO_TEST_CASE(a_udp_query_gets_its_reply) {
    StreamWorld w;
    Peer upstream = Peer::bound(Transport::udp, address("127.0.0.1"));
    const Bytes query = make_query(4711, "www.example");
    w.ask_upstream(Transport::udp, query, address("127.0.0.1"), upstream.port(), 0xabcdef);
    std::optional<std::pair<Bytes, stream::SocketAddress>> asked;
    BOOST_REQUIRE(w.until([&] { return (asked = upstream.receive_from()).has_value(); }));
    BOOST_TEST(asked->first == query);
    upstream.send_to(make_response(query, 2), asked->second);
    BOOST_REQUIRE(w.until([&] { return w.replies.size() == 1; }));
    BOOST_TEST(w.replies[0].token == 0xabcdefU);
    BOOST_TEST(w.replies[0].b == 0U);
    BOOST_TEST(StreamWorld::bytes_of(w.replies[0]) == make_response(query, 2));
    // Its socket is closed: a second reply is not received.
    upstream.send_to(make_response(query, 2), asked->second);
    w.ask_upstream(Transport::udp, make_query(4711, "b.example"), address("127.0.0.1"),
                   upstream.port(), 2);
    std::optional<std::pair<Bytes, stream::SocketAddress>> next;
    BOOST_REQUIRE(w.until([&] { return (next = upstream.receive_from()).has_value(); }));
    BOOST_TEST(w.count(StreamCount::upstream_unmatched) == 0U);
    BOOST_TEST(w.replies.size() == 1U);
}

BOOST_AUTO_TEST_CASE(forged_replies_do_not_end_a_query) {
    StreamWorld w;
    Peer upstream = Peer::bound(Transport::udp, address("127.0.0.1"));
    const Bytes query = make_query(4711, "www.example");
    w.ask_upstream(Transport::udp, query, address("127.0.0.1"), upstream.port(), 1);
    std::optional<std::pair<Bytes, stream::SocketAddress>> asked;
    BOOST_REQUIRE(w.until([&] { return (asked = upstream.receive_from()).has_value(); }));
    upstream.send_to(make_response(make_query(4712, "www.example"), 1), asked->second);
    upstream.send_to(make_response(make_query(4711, "www.exbmple"), 1), asked->second);
    upstream.send_to(query, asked->second);
    upstream.send_to(Bytes(5), asked->second);
    Bytes bare = make_response(query, 0);  // NOERROR without a question
    bare.resize(12);
    bare[5] = 0;
    upstream.send_to(bare, asked->second);
    Peer other = Peer::bound(Transport::udp, address("127.0.0.1"));
    other.send_to(make_response(query, 1), asked->second);  // the kernel drops it
    BOOST_TEST(w.until([&] { return w.count(StreamCount::upstream_unmatched) == 5; }));
    BOOST_TEST(w.replies.empty());
    upstream.send_to(make_response(make_query(4711, "WWW.example"), 1), asked->second);
    BOOST_TEST(w.until([&] { return w.replies.size() == 1; }));
}

BOOST_AUTO_TEST_CASE(ten_forged_replies_end_a_query_over_udp) {
    StreamWorld w;
    Peer upstream = Peer::bound(Transport::udp, address("127.0.0.1"));
    const Bytes query = make_query(4711, "www.example");
    w.ask_upstream(Transport::udp, query, address("127.0.0.1"), upstream.port(), 1);
    std::optional<std::pair<Bytes, stream::SocketAddress>> asked;
    BOOST_REQUIRE(w.until([&] { return (asked = upstream.receive_from()).has_value(); }));
    for (std::uint16_t id = 1; id <= 10; ++id)
        upstream.send_to(make_response(make_query(id, "www.example"), 1), asked->second);
    BOOST_REQUIRE(w.until([&] { return w.replies.size() == 1; }));
    BOOST_TEST(w.replies[0].b == kForgedReplies);
    BOOST_TEST((w.replies[0].buffer == nullptr));
    BOOST_TEST(w.count(StreamCount::upstream_unmatched) == 10U);
}

BOOST_AUTO_TEST_CASE(the_longest_waiting_query_makes_room) {
    StreamWorld w;
    w.thread->set_upstream_sockets({.udp = 64});
    w.turn();
    Peer upstream = Peer::bound(Transport::udp, address("127.0.0.1"));
    std::vector<std::pair<Bytes, stream::SocketAddress>> asked;
    for (unsigned i = 0; i < 70; ++i) {
        w.ask_upstream(Transport::udp, make_query(1, "n" + std::to_string(i) + ".example"),
                       address("127.0.0.1"), upstream.port(), i);
    }
    BOOST_TEST(w.until([&] {
        while (auto got = upstream.receive_from())
            asked.push_back(std::move(*got));
        return asked.size() == 70;
    }));
    BOOST_TEST(w.count(StreamCount::upstream_forgotten) == 6U);
    // In two halves: the ring to the worker has 63 places. The first six are forgotten.
    for (std::size_t i = 0; i < asked.size(); ++i) {
        upstream.send_to(make_response(asked[i].first, 1), asked[i].second);
        if (i == 35) BOOST_TEST(w.until([&] { return w.replies.size() == 30; }));
    }
    w.until([&] { return w.replies.size() == 64; });
    BOOST_TEST(w.replies.size() == 64U);
}

BOOST_AUTO_TEST_CASE(an_error_without_a_question_is_a_reply) {
    StreamWorld w;
    Peer upstream = Peer::bound(Transport::udp, address("127.0.0.1"));
    const Bytes query = make_query(5, "www.example");
    w.ask_upstream(Transport::udp, query, address("127.0.0.1"), upstream.port(), 1);
    std::optional<std::pair<Bytes, stream::SocketAddress>> asked;
    BOOST_REQUIRE(w.until([&] { return (asked = upstream.receive_from()).has_value(); }));
    Bytes bare = make_response(query, 0);
    bare.resize(12);
    bare[3] = dns::kFormErr;
    bare[5] = 0;
    upstream.send_to(bare, asked->second);
    BOOST_TEST(w.until([&] { return w.replies.size() == 1; }));
}

BOOST_AUTO_TEST_CASE(a_closed_port_is_an_error_at_once) {
    StreamWorld w;
    std::uint16_t closed = 0;
    {
        const Peer gone = Peer::bound(Transport::udp, address("127.0.0.1"));
        closed = gone.port();
    }
    w.ask_upstream(Transport::udp, make_query(5, "www.example"), address("127.0.0.1"), closed, 9);
    BOOST_REQUIRE(w.until([&] { return w.replies.size() == 1; }));
    BOOST_TEST(w.replies[0].b == static_cast<unsigned>(ECONNREFUSED));
    BOOST_TEST((w.replies[0].buffer == nullptr));
    BOOST_TEST(w.replies[0].token == 9U);
}

BOOST_AUTO_TEST_CASE(each_query_has_its_own_port_and_equal_ids_are_allowed) {
    StreamWorld w;
    Peer upstream = Peer::bound(Transport::udp, address("127.0.0.1"));
    std::set<std::uint16_t> ports;
    unsigned asked = 0;
    for (unsigned i = 0; i < 100; ++i) {
        w.ask_upstream(Transport::udp, make_query(77, "n" + std::to_string(i) + ".example"),
                       address("127.0.0.1"), upstream.port(), i);
        w.turn();
        while (const auto got = upstream.receive_from()) {
            ports.insert(got->second.port());
            upstream.send_to(make_response(got->first, 1), got->second);
            ++asked;
        }
    }
    const bool all = w.until([&] {
        while (const auto got = upstream.receive_from()) {
            ports.insert(got->second.port());
            upstream.send_to(make_response(got->first, 1), got->second);
            ++asked;
        }
        return w.replies.size() == 100;
    });
    BOOST_TEST(all);
    BOOST_TEST(ports.size() >= 95U);  // by chance one of 28,000 comes again
    std::set<std::uint64_t> tokens;
    for (const auto& r : w.replies)
        tokens.insert(r.token);
    BOOST_TEST(tokens.size() == 100U);
}

BOOST_AUTO_TEST_CASE(a_tcp_query_gets_a_long_reply) {
    StreamWorld w;
    Peer upstream = Peer::bound(Transport::tcp, address("127.0.0.1"));
    const Bytes query = make_query(4711, "big.example");
    w.ask_upstream(Transport::tcp, query, address("127.0.0.1"), upstream.port(), 3);
    std::optional<Peer> connection;
    BOOST_REQUIRE(w.until([&] {
        if (auto accepted = upstream.accept()) connection.emplace(std::move(*accepted));
        return connection.has_value();
    }));
    std::optional<Bytes> asked;
    BOOST_REQUIRE(w.until([&] { return (asked = connection->next_framed()).has_value(); }));
    BOOST_TEST(*asked == query);
    connection->send_framed(make_response(make_query(1, "other.example"), 1));
    const Bytes big = make_response(query, 3000);
    connection->send_framed(big);
    BOOST_REQUIRE(w.until([&] { return w.replies.size() == 1; }));
    BOOST_TEST(w.replies[0].token == 3U);
    BOOST_TEST((StreamWorld::bytes_of(w.replies[0]) == big));
    BOOST_TEST(w.count(StreamCount::upstream_unmatched) == 1U);
}

BOOST_AUTO_TEST_CASE(errors_over_tcp_are_reported) {
    StreamWorld w;
    std::uint16_t closed = 0;
    {
        const Peer gone = Peer::bound(Transport::tcp, address("127.0.0.1"));
        closed = gone.port();
    }
    w.ask_upstream(Transport::tcp, make_query(1, "a.example"), address("127.0.0.1"), closed, 1);
    BOOST_REQUIRE(w.until([&] { return w.replies.size() == 1; }));
    BOOST_TEST(w.replies[0].b == static_cast<unsigned>(ECONNREFUSED));

    Peer silent = Peer::bound(Transport::tcp, address("127.0.0.1"));
    w.ask_upstream(Transport::tcp, make_query(2, "a.example"), address("127.0.0.1"), silent.port(),
                   2, 50);
    BOOST_REQUIRE(w.until([&] { return w.replies.size() == 2; }));
    BOOST_TEST(w.replies[1].b == static_cast<unsigned>(ETIMEDOUT));

    w.ask_upstream(Transport::tcp, make_query(3, "a.example"), address("127.0.0.1"), silent.port(),
                   3);
    BOOST_REQUIRE(w.until([&] { return silent.accept().has_value() && w.replies.size() == 2; }) ||
                  w.replies.size() == 3);
    BOOST_REQUIRE(w.until([&] {
        (void)silent.accept();  // closed at once
        return w.replies.size() == 3;
    }));
    BOOST_TEST(w.replies[2].b != 0U);
}

BOOST_AUTO_TEST_CASE(ending_with_everything_open_leaks_nothing) {
    StreamWorld w;
    Peer upstream = Peer::bound(Transport::tcp, address("127.0.0.1"));
    w.ask_upstream(Transport::tcp, make_query(1, "a.example"), address("127.0.0.1"),
                   upstream.port(), 1);
    w.ask_upstream(Transport::udp, make_query(1, "a.example"), address("127.0.0.1"),
                   upstream.port(), 2);
    Peer client = Peer::connected(Transport::tcp, address("127.0.0.1"), w.listen(Transport::tcp));
    BOOST_REQUIRE(w.until([&] { return client.send_framed(make_query(1, "n.example")); }));
    BOOST_REQUIRE(w.until([&] { return w.queries.size() == 1; }));
    w.answer(w.queries[0], make_response(w.queries[0].query, 1));
}

BOOST_AUTO_TEST_SUITE_END()
