// Engines of a `recursion`: one socket for all queries, whose replies find their query.
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "control/streams/upstream/upstream_engines.h"
#include "world.h"

using namespace steer;
using namespace steer::test;
using stream::Transport;

namespace {

using EngineAsked = std::pair<Bytes, stream::SocketAddress>;

std::vector<EngineAsked> received_by_engine(StreamWorld& w, Peer& engine, std::size_t count) {
    std::vector<EngineAsked> all;
    BOOST_REQUIRE(w.until([&] {
        while (auto one = engine.receive_from())
            all.push_back(std::move(*one));
        return all.size() >= count;
    }));
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_engines)

BOOST_AUTO_TEST_CASE(all_queries_share_a_socket_and_replies_come_in_any_order) {
    StreamWorld w;
    Peer engine = Peer::bound(Transport::udp, address("127.0.0.1"));
    // Equal ids, too.
    for (unsigned i = 0; i < 40; ++i)
        w.ask_engine(
            make_query(static_cast<std::uint16_t>(i / 2), "n" + std::to_string(i) + ".example"),
            engine.port(), i);
    const auto asked = received_by_engine(w, engine, 40);
    std::set<std::uint16_t> ports;
    for (auto one = asked.rbegin(); one != asked.rend(); ++one) {
        ports.insert(one->second.port());
        engine.send_to(make_response(one->first, 1), one->second);
    }
    BOOST_TEST(ports.size() == 1U);
    BOOST_REQUIRE(w.until([&] { return w.replies.size() == 40; }));
    for (const Message& reply : w.replies) {
        const auto query = make_query(static_cast<std::uint16_t>(reply.token / 2),
                                      "n" + std::to_string(reply.token) + ".example");
        BOOST_TEST(StreamWorld::bytes_of(reply) == make_response(query, 1));
    }
    // A second reply has no query.
    engine.send_to(make_response(asked[0].first, 1), asked[0].second);
    engine.send_to(Bytes(5), asked[0].second);
    BOOST_TEST(w.until([&] { return w.count(StreamCount::upstream_unmatched) == 2; }));
    BOOST_TEST(w.replies.size() == 40U);
}

BOOST_AUTO_TEST_CASE(a_query_with_the_id_and_question_of_another_one_ends_at_once) {
    StreamWorld w;
    Peer engine = Peer::bound(Transport::udp, address("127.0.0.1"));
    w.ask_engine(make_query(7, "www.example"), engine.port(), 1);
    w.ask_engine(make_query(7, "www.example"), engine.port(), 2);
    BOOST_REQUIRE(w.until([&] { return w.replies.size() == 1; }));
    BOOST_TEST(w.replies[0].token == 2U);
    BOOST_TEST(w.replies[0].b == static_cast<unsigned>(ENOBUFS));
}

BOOST_AUTO_TEST_CASE(the_end_of_an_engine_ends_what_waits_for_it) {
    StreamWorld w;
    std::optional<Peer> engine = Peer::bound(Transport::udp, address("127.0.0.1"));
    const std::uint16_t port = engine->port();
    w.ask_engine(make_query(1, "a.example"), port, 1);
    w.ask_engine(make_query(2, "b.example"), port, 2);
    (void)received_by_engine(w, *engine, 2);
    engine.reset();
    // The kernel refuses this one, so the others are lost.
    w.ask_engine(make_query(3, "c.example"), port, 3);
    BOOST_REQUIRE(w.until([&] { return w.replies.size() == 3; }));
    for (const Message& reply : w.replies)
        BOOST_TEST(reply.b == static_cast<unsigned>(ECONNREFUSED));
}

BOOST_AUTO_TEST_CASE(queries_without_a_reply_are_forgotten) {
    StreamWorld w;
    Peer engine = Peer::bound(Transport::udp, address("127.0.0.1"));
    w.ask_engine(make_query(1, "a.example"), engine.port(), 1, 500);
    const auto asked = received_by_engine(w, engine, 1);
    w.pass(std::chrono::seconds(3));
    engine.send_to(make_response(asked[0].first, 1), asked[0].second);
    BOOST_TEST(w.until([&] { return w.count(StreamCount::upstream_unmatched) == 1; }));
    BOOST_TEST(w.replies.empty());
}

BOOST_AUTO_TEST_SUITE_END()
