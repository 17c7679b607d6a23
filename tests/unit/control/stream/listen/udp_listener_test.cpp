// Kernel UDP: queries in, answers out from the address that was asked, a budget, what cannot be
// served.
#include <net/if.h>
#include <netinet/in.h>

#include <boost/test/unit_test.hpp>

#include "world.h"

using namespace steer;
using namespace steer::test;
using stream::Transport;

BOOST_AUTO_TEST_SUITE(stream_udp)

BOOST_AUTO_TEST_CASE(a_query_is_answered) {
    StreamWorld w;
    const auto port = w.listen(Transport::udp);
    Peer client = Peer::connected(Transport::udp, address("127.0.0.1"), port);
    const Bytes query = make_query(7, "www.example");
    client.send(query);
    BOOST_REQUIRE(w.until([&] { return w.queries.size() == 1; }));
    const InjectedMessage& q = w.queries[0];
    BOOST_TEST(q.query == query);
    BOOST_TEST((q.header.client == address("127.0.0.1")));
    BOOST_TEST((q.header.local == address("127.0.0.1")));
    BOOST_TEST(q.header.client_port == client.port());
    BOOST_TEST(q.header.local_port == port);
    BOOST_TEST((q.header.transport == ClientTransport::udp));
    BOOST_TEST(q.header.max_size == 1232);
    const Bytes response = make_response(query, 2);
    w.answer(q, response);
    // Connected: it takes only what comes from the address that it asked.
    BOOST_REQUIRE(w.until([&] { return client.receive() && !client.in.empty(); }));
    BOOST_TEST(client.in == response);
    BOOST_TEST(w.count(StreamCount::udp_sent) == 1U);
}

BOOST_AUTO_TEST_CASE(a_query_over_ipv6_is_answered) {
    StreamWorld w;
    w.answer_all = true;
    const auto port = w.listen(Transport::udp, false, std::chrono::seconds(10), "::1");
    Peer client = Peer::connected(Transport::udp, address("::1"), port);
    client.send(make_query(8, "www.example"));
    BOOST_REQUIRE(w.until([&] { return client.receive() && !client.in.empty(); }));
    BOOST_TEST((w.queries[0].header.client == address("::1")));
}

BOOST_AUTO_TEST_CASE(many_queries_at_once_are_answered) {
    StreamWorld w(3, {}, 512);
    w.answer_all = true;
    const auto port = w.listen(Transport::udp);
    std::vector<Peer> clients;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(Peer::connected(Transport::udp, address("127.0.0.1"), port));
    }
    for (unsigned i = 0; i < 200; ++i) {
        clients[i % 4].send(make_query(static_cast<std::uint16_t>(i), "n.example"));
    }
    BOOST_TEST(w.until([&] { return w.count(StreamCount::udp_sent) == 200; }));
    std::size_t bytes = 0;
    for (auto& c : clients) {
        c.receive();
        bytes += c.in.size();
    }
    BOOST_TEST(bytes == 200 * make_response(make_query(0, "n.example"), 1).size());
    // One client, one worker.
    for (const auto& q : w.queries)
        BOOST_TEST(q.message.from == w.queries[0].message.from);
}

BOOST_AUTO_TEST_CASE(messages_that_are_not_queries_are_counted_and_dropped) {
    StreamWorld w;
    const auto port = w.listen(Transport::udp);
    Peer client = Peer::connected(Transport::udp, address("127.0.0.1"), port);
    client.send(Bytes(11));
    client.send(Bytes(5000));
    BOOST_TEST(w.until([&] { return w.count(StreamCount::udp_bad) == 2; }));
    BOOST_TEST(w.queries.empty());
}

// On the interface of a copying port the port answers; what it cannot take is ours.
BOOST_AUTO_TEST_CASE(beside_a_copying_port_only_odd_packets_are_answered) {
    for (const char* on : {"127.0.0.1", "::1"}) {
        StreamWorld w;
        w.thread->set_copying({static_cast<int>(::if_nametoindex("lo"))});
        const auto port = w.listen(Transport::udp, false, std::chrono::seconds(10), on);
        Peer client = Peer::connected(Transport::udp, address(on), port);
        client.send(make_query(9, "plain.example"));
        BOOST_TEST(w.until([&] { return w.count(StreamCount::udp_copies) == 1; }));
        BOOST_TEST(w.queries.empty());
        const std::uint8_t options[8]{1, 1, 1, 0};  // IPv4: no operation, end
        const std::uint8_t padding[8]{0, 0, 1, 4,
                                      0, 0, 0, 0};  // IPv6: a destination header of PadN
        const bool v4 = on[0] == '1';
        BOOST_REQUIRE(::setsockopt(client.fd(), v4 ? IPPROTO_IP : IPPROTO_IPV6,
                                   v4 ? IP_OPTIONS : IPV6_DSTOPTS, v4 ? options : padding,
                                   v4 ? 4 : 8) == 0);
        client.send(make_query(10, "options.example"));
        BOOST_TEST(w.until([&] { return w.queries.size() == 1; }));
        w.thread->set_copying({12345});  // some other interface
        client.send(make_query(11, "elsewhere.example"));
        BOOST_TEST(w.until([&] { return w.queries.size() == 2; }));
        BOOST_TEST(w.count(StreamCount::udp_copies) == 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_dropped_query_gets_no_answer) {
    StreamWorld w;
    const auto port = w.listen(Transport::udp);
    Peer client = Peer::connected(Transport::udp, address("127.0.0.1"), port);
    client.send(make_query(7, "www.example"));
    BOOST_REQUIRE(w.until([&] { return w.queries.size() == 1; }));
    w.drop(w.queries[0]);
    BOOST_TEST(w.until([&] { return w.count(StreamCount::inject_unanswered) == 1; }));
    w.answer(w.queries[0], make_response(w.queries[0].query, 1));  // twice: the token is over
    BOOST_TEST(w.until([&] { return w.count(StreamCount::answers_too_late) == 1; }));
}

BOOST_AUTO_TEST_CASE(a_full_ring_loses_the_query_and_counts_it) {
    StreamWorld w(1, {}, 8);
    w.pop = false;
    const auto port = w.listen(Transport::udp);
    Peer client = Peer::connected(Transport::udp, address("127.0.0.1"), port);
    for (std::uint16_t i = 0; i < 20; ++i)
        client.send(make_query(i, "www.example"));
    BOOST_TEST(w.until([&] { return w.count(StreamCount::udp_received) == 20; }));
    BOOST_TEST(w.count(StreamCount::inject_ring_full) == 13U);
}

BOOST_AUTO_TEST_CASE(a_closed_listener_answers_nothing) {
    StreamWorld w;
    const auto port = w.listen(Transport::udp);
    w.turn();
    w.thread->remove({Transport::udp, address("127.0.0.1"), port});
    w.turn();
    w.turn();
    Peer client = Peer::connected(Transport::udp, address("127.0.0.1"), port);
    client.send(make_query(7, "www.example"));
    BOOST_TEST(w.until([&] { return !client.receive(); }));  // refused
    BOOST_TEST(w.queries.empty());
}

BOOST_AUTO_TEST_CASE(the_budget_is_per_source_and_refills) {
    stream::SourceBudget budget(99);
    const IpAddress a = address("192.0.2.1"), b = address("192.0.2.2");
    unsigned taken = 0;
    for (int i = 0; i < 1000; ++i)
        taken += budget.take(a, 5'000) ? 1U : 0U;
    BOOST_TEST(taken == stream::SourceBudget::kBurst);
    BOOST_TEST(budget.take(b, 5'000));
    for (int i = 0; i < 1000; ++i)
        taken += budget.take(a, 6'000) ? 1U : 0U;
    BOOST_TEST(taken == stream::SourceBudget::kBurst + stream::SourceBudget::kPerSecond);
    // An IPv6 /64 is one source.
    taken = 0;
    for (unsigned i = 0; i < 1000; ++i) {
        IpAddress host = address("2001:db8::");
        host.bytes[15] = static_cast<std::uint8_t>(i);
        host.bytes[14] = static_cast<std::uint8_t>(i >> 8);
        taken += budget.take(host, 7'000) ? 1U : 0U;
    }
    BOOST_TEST(taken == stream::SourceBudget::kBurst);
}

BOOST_AUTO_TEST_CASE(local_programs_have_no_budget) {
    StreamWorld w(1, {}, 2048);
    const auto port = w.listen(Transport::udp, true);
    Peer client = Peer::connected(Transport::udp, address("127.0.0.1"), port);
    for (std::uint16_t i = 0; i < 600; ++i) {
        client.send(make_query(i, "www.example"));
        if (i % 100 == 0) w.turn();
    }
    BOOST_TEST(w.until([&] { return w.queries.size() == 600; }));
}

BOOST_AUTO_TEST_SUITE_END()
