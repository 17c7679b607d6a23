// Connections of clients share the descriptors and the memory of the process: which one leaves, and
// how much each may hold.
#include <sys/socket.h>

#include <boost/test/unit_test.hpp>

#include "http/http_peer.h"
#include "world.h"

using namespace steer;
using namespace steer::test;
using namespace std::chrono_literals;
using stream::ClientBudget;
using stream::ClientLimits;
using stream::Transport;

namespace {

constexpr std::size_t kBudgetMiB = 1024 * 1024;

Peer budget_client(std::uint16_t port) {
    return Peer::connected(Transport::tcp, address("127.0.0.1"), port);
}

struct SharedBudget {
    explicit SharedBudget(const ClientLimits& limits) {
        budget->set(limits);
        w.thread->share_clients(budget, {});
    }
    // With a query that is not answered.
    Peer busy(std::uint16_t port) {
        Peer peer = budget_client(port);
        const std::size_t before = w.queries.size();
        BOOST_REQUIRE(w.until([&] { return peer.send_framed(make_query(1, "n.example")); }));
        BOOST_REQUIRE(w.until([&] { return w.queries.size() == before + 1; }));
        return peer;
    }
    Peer idle(std::uint16_t port) {
        const auto accepted = w.count(StreamCount::tcp_accepted);
        Peer peer = budget_client(port);
        BOOST_REQUIRE(w.until([&] { return w.count(StreamCount::tcp_accepted) == accepted + 1; }));
        return peer;
    }
    bool is_closed(Peer& peer) {
        return w.until([&] { return !peer.receive(); });
    }

    std::shared_ptr<ClientBudget> budget = std::make_shared<ClientBudget>();
    StreamWorld w{1, {.max_connections = 1000, .max_connections_per_client = 1000}, 512};
};

stream::Service budget_site() {
    stream::Service service;
    service.protocol = config::ServerProtocol::http;
    service.limits.idle_timeout = 30s;
    service.http.paths = {{"/dns-query"}};
    return service;
}

// Clients that want all answers, each of `size` bytes, and read none of them.
struct SlowReaders {
    SlowReaders(SharedBudget& shared, unsigned count, std::uint32_t window)
        : s(shared), port(s.w.listen_tcp(budget_site())) {
        for (unsigned i = 0; i < count; ++i) {
            peers.push_back(std::make_unique<Http2Peer>(budget_client(port), window));
            peers.back()->consumes = false;
        }
    }
    void ask_each() {
        for (auto& peer : peers)
            peer->post(make_query(1, "n.example"));
    }
    void turn() {
        for (auto& peer : peers)
            peer->turn();
        s.w.turn();
    }
    void answer_all(std::size_t size) {
        for (; answered < s.w.queries.size(); ++answered) {
            Bytes big = make_response(s.w.queries[answered].query, 1);
            big.resize(size);
            s.w.answer(s.w.queries[answered], big);
            most = std::max(most, s.budget->held_bytes());
            if (answered % 64 == 63) turn();
        }
    }

    SharedBudget& s;
    std::uint16_t port;
    std::vector<std::unique_ptr<Http2Peer>> peers;
    std::size_t answered = 0, most = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_client_budget)

BOOST_AUTO_TEST_CASE(an_idle_connection_makes_room_behind_many_busy_ones) {
    StreamWorld w(1, {.max_connections = 41, .max_connections_per_client = 100}, 512);
    const auto port = w.listen(Transport::tcp);
    std::vector<Peer> busy;
    for (unsigned i = 0; i < 40; ++i) {
        busy.push_back(budget_client(port));
        BOOST_REQUIRE(w.until([&] { return busy.back().send_framed(make_query(1, "n.example")); }));
    }
    BOOST_REQUIRE(w.until([&] { return w.queries.size() == 40; }));
    Peer idle = budget_client(port);
    BOOST_REQUIRE(w.until([&] { return w.thread->connections() == 41; }));
    Peer next = budget_client(port);
    BOOST_TEST(w.until([&] { return !idle.receive(); }));
    BOOST_TEST(w.count(StreamCount::tcp_over_limit) == 0U);
    for (std::size_t i = 0; i < busy.size(); ++i)
        w.answer(w.queries[i], make_response(w.queries[i].query, 1));
    for (Peer& peer : busy)
        BOOST_TEST(w.until([&] { return peer.next_framed().has_value(); }));
    // Now the one that was idle first leaves.
    Peer another = budget_client(port);
    BOOST_TEST(w.until([&] { return w.count(StreamCount::tcp_made_room) == 2; }));
}

BOOST_AUTO_TEST_CASE(the_oldest_idle_connection_of_all_servers_makes_room) {
    SharedBudget s({.places = 3});
    const auto first = s.w.listen(Transport::tcp), second = s.w.listen(Transport::tcp);
    Peer busy = s.busy(first);
    Peer oldest = s.idle(first);
    s.w.pass(1s);
    Peer other = s.idle(second);
    s.w.pass(1s);
    Peer next = s.idle(second);
    BOOST_TEST(s.is_closed(oldest));
    BOOST_TEST(busy.receive());
    BOOST_TEST(other.receive());
    BOOST_TEST(s.w.count(StreamCount::tcp_made_process_room) == 1U);
    BOOST_TEST(s.budget->places() == 3U);
}

BOOST_AUTO_TEST_CASE(a_connection_with_a_query_in_it_never_makes_room) {
    SharedBudget s({.places = 2});
    const auto port = s.w.listen(Transport::tcp);
    Peer one = s.busy(port), other = s.busy(port);
    Peer refused = budget_client(port);
    BOOST_TEST(s.is_closed(refused));
    BOOST_TEST(s.w.count(StreamCount::tcp_over_process_limit) == 1U);
    for (const auto& query : s.w.queries)
        s.w.answer(query, make_response(query.query, 1));
    for (Peer* peer : {&one, &other})
        BOOST_TEST(s.w.until([&] { return peer->next_framed().has_value(); }));
    Peer next = s.idle(port);
    BOOST_TEST(s.is_closed(one));
    BOOST_TEST(other.receive());
}

BOOST_AUTO_TEST_CASE(a_query_that_its_client_cancelled_does_not_keep_a_connection) {
    SharedBudget s({.places = 2});
    const auto port = s.w.listen_tcp(budget_site());
    Http2Peer cancels(budget_client(port)), waits(budget_client(port));
    const auto id = cancels.post(make_query(1, "n.example"));
    waits.post(make_query(2, "n.example"));
    BOOST_REQUIRE(s.w.until([&] {
        cancels.turn();
        waits.turn();
        return s.w.queries.size() == 2;
    }));
    Peer refused = budget_client(port);  // both are busy, and known as such
    BOOST_TEST(s.is_closed(refused));
    cancels.reset(id);
    BOOST_REQUIRE(s.w.until([&] {
        cancels.turn();
        return s.w.count(StreamCount::http_resets) == 1;
    }));
    for (const auto& query : s.w.queries) {
        if (query.query[1] == 1) s.w.answer(query, make_response(query.query, 1));
    }
    BOOST_REQUIRE(s.w.until([&] { return s.w.count(StreamCount::answers_too_late) == 1; }));
    Peer next = budget_client(port);
    BOOST_TEST(s.w.until([&] { return !cancels.turn(); }));
    BOOST_TEST(waits.turn());
}

BOOST_AUTO_TEST_CASE(a_client_with_its_share_of_the_places_loses_an_idle_one_of_its_own) {
    SharedBudget s({.places = 4, .places_per_client = 2});
    const auto port = s.w.listen(Transport::tcp);
    Peer one = s.idle(port), two = s.idle(port);
    Peer three = s.idle(port);
    BOOST_TEST(s.is_closed(one));
    BOOST_TEST(two.receive());
    BOOST_TEST(s.w.count(StreamCount::tcp_made_process_room) == 1U);
    // Two with queries: a third one of this client is refused, and places are left for others.
    for (Peer* peer : {&two, &three})
        BOOST_REQUIRE(s.w.until([&] { return peer->send_framed(make_query(1, "n.example")); }));
    BOOST_REQUIRE(s.w.until([&] { return s.w.queries.size() == 2; }));
    Peer four = budget_client(port);
    BOOST_TEST(s.is_closed(four));
    BOOST_TEST(s.w.count(StreamCount::tcp_over_process_limit) == 1U);
    BOOST_TEST(s.budget->places() == 2U);
}

BOOST_AUTO_TEST_CASE(a_thread_without_an_idle_connection_gets_room_from_another) {
    SharedBudget one({.places = 2});
    StreamWorld other(1, {.max_connections = 100, .max_connections_per_client = 100});
    unsigned asked = 0;
    other.thread->share_clients(one.budget, {});
    one.w.thread->share_clients(one.budget, [&] {
        ++asked;
        other.thread->make_room_if_exceeded();
    });
    const auto here = one.w.listen(Transport::tcp), there = other.listen(Transport::tcp);
    Peer idle = budget_client(there), younger = budget_client(there);
    BOOST_REQUIRE(other.until([&] { return other.thread->connections() == 2; }));
    Peer next = one.busy(here);
    BOOST_TEST(asked == 1U);
    BOOST_TEST(one.budget->places() == 3U);
    BOOST_TEST(other.until([&] { return !idle.receive(); }));
    BOOST_TEST(one.budget->places() == 2U);
    other.thread->make_room_if_exceeded();  // not any more
    other.turn();
    BOOST_TEST(other.thread->connections() == 1U);
}

BOOST_AUTO_TEST_CASE(standing_bytes_are_taken_and_given_back) {
    SharedBudget s({});
    const auto plain = s.w.listen(Transport::tcp);
    const auto http = s.w.listen_tcp(budget_site());
    {
        Peer one = s.idle(plain), other = s.idle(http);
        BOOST_TEST(s.budget->standing_bytes() == 2 * stream::kPlainBytes + stream::kSessionBytes);
    }
    BOOST_TEST(s.w.until([&] { return s.w.thread->connections() == 0; }));
    BOOST_TEST(s.budget->standing_bytes() == 0U);
    BOOST_TEST(s.budget->places() == 0U);
    BOOST_TEST(s.budget->held_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(an_idle_session_of_http2_holds_nothing_beyond_its_standing_bytes) {
    SharedBudget s({});
    Http2Peer client(budget_client(s.w.listen_tcp(budget_site())));
    const auto id = client.post(make_query(1, "n.example"));
    BOOST_REQUIRE(s.w.until([&] {
        client.turn();
        return s.w.queries.size() == 1;
    }));
    s.w.answer(s.w.queries[0], make_response(s.w.queries[0].query, 1));
    BOOST_REQUIRE(s.w.until([&] {
        client.turn();
        return client.responses[id].closed;
    }));
    BOOST_TEST(s.budget->held_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(clients_of_http2_that_do_not_read_share_the_memory) {
    SharedBudget s({.held_bytes = kBudgetMiB});
    SlowReaders slow(s, 16, 0);
    for (unsigned round = 0; round < 60; ++round) {
        slow.ask_each();
        for (unsigned i = 0; i < 4; ++i)
            slow.turn();
        slow.answer_all(10'000);
    }
    slow.turn();
    BOOST_TEST_MESSAGE("held at most " << slow.most);
    BOOST_TEST(s.w.count(StreamCount::tcp_unread) > 0U);
    BOOST_TEST(slow.most > kBudgetMiB / 4);
    BOOST_TEST(slow.most < kBudgetMiB + 128 * 10'000);  // the answers of a turn are added at once
    // One that reads is answered, however large the answer.
    Http2Peer reads(budget_client(slow.port));
    const auto id = reads.post(make_query(1, "n.example"));
    BOOST_REQUIRE(s.w.until([&] {
        reads.turn();
        slow.answer_all(50'000);
        return reads.responses[id].closed;
    }));
    BOOST_TEST(reads.responses[id].content.size() == 50'000U);
    s.w.pass(31s);
    BOOST_TEST(s.w.until([&] { return s.w.thread->connections() == 0; }));
    BOOST_TEST(s.budget->held_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(holders_leave_once_a_second_while_half_of_the_memory_is_held) {
    SharedBudget s({.held_bytes = kBudgetMiB});
    SlowReaders slow(s, 4, 0);
    for (unsigned round = 0; round < 20; ++round) {
        slow.ask_each();
        for (unsigned i = 0; i < 4; ++i)
            slow.turn();
        slow.answer_all(10'000);
    }
    s.budget->set({.held_bytes = s.budget->held_bytes() + 10'000});  // what each holds is more
    s.w.pass(1s);
    BOOST_TEST(s.w.until([&] { return s.w.count(StreamCount::tcp_unread) > 0; }));
    BOOST_TEST(s.w.thread->connections() > 0U);  // the others may hold what these gave back
}

BOOST_AUTO_TEST_CASE(an_answer_counts_whole_until_its_last_byte_is_sent) {
    SharedBudget s({});
    SlowReaders slow(s, 1, 9'999);
    for (unsigned i = 0; i < 5; ++i)
        slow.ask_each();
    BOOST_REQUIRE(s.w.until([&] {
        slow.turn();
        return s.w.queries.size() == 5;
    }));
    slow.answer_all(10'000);
    for (unsigned i = 0; i < 20; ++i)
        slow.turn();
    BOOST_TEST(s.budget->held_bytes() >= 50'000U - stream::kFreeBytes);
}

BOOST_AUTO_TEST_CASE(clients_over_tcp_that_do_not_read_share_the_memory) {
    SharedBudget s({.held_bytes = kBudgetMiB});
    const auto port = s.w.listen(Transport::tcp);
    std::vector<Peer> slow;
    for (unsigned i = 0; i < 12; ++i) {
        slow.push_back(budget_client(port));
        const int small = 4096;
        ::setsockopt(slow.back().fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    }
    std::size_t answered = 0, most = 0;
    const bool closed = s.w.until([&] {
        for (Peer& peer : slow)
            (void)peer.send_framed(make_query(1, "n.example"));
        for (unsigned n = 0; n < 32 && answered < s.w.queries.size(); ++n, ++answered) {
            Bytes big = make_response(s.w.queries[answered].query, 1);
            big.resize(20'000);
            s.w.answer(s.w.queries[answered], big);
        }
        most = std::max(most, s.budget->held_bytes());
        return s.w.count(StreamCount::tcp_unread) >= 6;
    });
    BOOST_TEST(closed);
    BOOST_TEST(most <
               kBudgetMiB + 32 * 20'000 * 2);  // the answers of a turn, and a vector's growth
}

BOOST_AUTO_TEST_CASE(queries_that_are_not_read_yet_are_held) {
    StreamWorld w(1, {}, 512);
    const auto budget = std::make_shared<ClientBudget>();
    w.thread->share_clients(budget, {});
    Peer client = budget_client(w.listen(Transport::tcp));
    Bytes all;
    for (unsigned i = 0; i < 1000; ++i) {
        const Bytes query = make_query(1, "a-name-of-some-length.example");
        all.insert(all.end(), {0, static_cast<std::uint8_t>(query.size())});
        all.insert(all.end(), query.begin(), query.end());
    }
    BOOST_REQUIRE(w.until([&] { return client.send(all); }));
    BOOST_REQUIRE(w.until([&] { return w.queries.size() == 100; }));
    BOOST_TEST(budget->held_bytes() > 30 * 1024U);
}

BOOST_AUTO_TEST_SUITE_END()
