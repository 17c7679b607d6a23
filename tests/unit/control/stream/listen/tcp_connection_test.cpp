// TCP clients: framing, pipelining, order, limits, closing.
#include <rte_common.h>
#include <rte_rcu_qsbr.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <set>

#include "control/host/process/published.h"
#include "dataplane/answer/live_prefixes.h"
#include "world.h"

using namespace steer;
using namespace steer::test;
using namespace std::chrono_literals;
using stream::Transport;

namespace {

Peer connect(std::uint16_t port) {
    return Peer::connected(Transport::tcp, address("127.0.0.1"), port);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_tcp)

BOOST_AUTO_TEST_CASE(a_query_is_answered) {
    StreamWorld w;
    const auto port = w.listen(Transport::tcp);
    Peer client = connect(port);
    const Bytes query = make_query(7, "www.example");
    BOOST_REQUIRE(w.until([&] { return client.send_framed(query); }));
    BOOST_REQUIRE(w.until([&] { return w.queries.size() == 1; }));
    BOOST_TEST(w.queries[0].query == query);
    BOOST_TEST(w.queries[0].header.max_size == 65535);
    BOOST_TEST((w.queries[0].header.transport == ClientTransport::tcp));
    BOOST_TEST(w.queries[0].header.client_port == client.port());
    w.answer(w.queries[0], make_response(query, 3));
    std::optional<Bytes> got;
    BOOST_REQUIRE(w.until([&] { return (got = client.next_framed()).has_value(); }));
    BOOST_TEST(*got == make_response(query, 3));
    BOOST_TEST(w.thread->connections() == 1U);
}

BOOST_AUTO_TEST_CASE(a_query_may_come_byte_by_byte) {
    StreamWorld w;
    w.answer_all = true;
    Peer client = connect(w.listen(Transport::tcp));
    Bytes framed{0, 0};
    const Bytes query = make_query(7, "www.example");
    framed[1] = static_cast<std::uint8_t>(query.size());
    framed.insert(framed.end(), query.begin(), query.end());
    for (const std::uint8_t byte : framed) {
        BOOST_REQUIRE(w.until([&] { return client.send({byte}); }));
        w.turn();
    }
    BOOST_TEST(w.until([&] { return client.next_framed().has_value(); }));
}

BOOST_AUTO_TEST_CASE(pipelined_queries_are_answered_in_any_order) {
    StreamWorld w;
    Peer client = connect(w.listen(Transport::tcp));
    Bytes all;
    for (std::uint16_t id = 1; id <= 5; ++id) {
        const Bytes q = make_query(id, "n.example");
        all.push_back(0);
        all.push_back(static_cast<std::uint8_t>(q.size()));
        all.insert(all.end(), q.begin(), q.end());
    }
    BOOST_REQUIRE(w.until([&] { return client.send(all); }));
    BOOST_REQUIRE(w.until([&] { return w.queries.size() == 5; }));
    for (std::size_t i = 5; i > 0; --i)
        w.answer(w.queries[i - 1], make_response(w.queries[i - 1].query, 1));
    for (std::uint16_t id = 5; id > 0; --id) {
        std::optional<Bytes> got;
        BOOST_REQUIRE(w.until([&] { return (got = client.next_framed()).has_value(); }));
        BOOST_TEST(dns::load_be16(got->data()) == id);
    }
}

BOOST_AUTO_TEST_CASE(queries_above_the_pipelining_limit_wait) {
    StreamWorld w(1, {}, 512);
    Peer client = connect(w.listen(Transport::tcp));
    BOOST_REQUIRE(w.until([&] { return client.send_framed(make_query(0, "n.example")); }));
    for (std::uint16_t id = 1; id < 200; ++id)
        client.send_framed(make_query(id, "n.example"));
    BOOST_REQUIRE(w.until([&] { return w.queries.size() == 100; }));
    for (int i = 0; i < 20; ++i)
        w.turn();
    BOOST_TEST(w.queries.size() == 100U);
    std::set<unsigned> ids;
    std::size_t answered = 0;
    const bool all = w.until([&] {
        while (answered < w.queries.size()) {
            w.answer(w.queries[answered], make_response(w.queries[answered].query, 1));
            ++answered;
        }
        while (const auto got = client.next_framed())
            ids.insert(dns::load_be16(got->data()));
        return ids.size() == 200;
    });
    BOOST_TEST(all);
}

BOOST_AUTO_TEST_CASE(the_longest_answer_is_sent_whole) {
    StreamWorld w;
    Peer client = connect(w.listen(Transport::tcp));
    const Bytes query = make_query(7, "big.example");
    BOOST_REQUIRE(w.until([&] { return client.send_framed(query); }));
    BOOST_REQUIRE(w.until([&] { return w.queries.size() == 1; }));
    Bytes big = make_response(query, 4000);
    big.resize(65535);
    w.answer(w.queries[0], big);
    std::optional<Bytes> got;
    BOOST_REQUIRE(w.until([&] { return (got = client.next_framed()).has_value(); }));
    BOOST_TEST((*got == big));
}

BOOST_AUTO_TEST_CASE(an_impossible_length_closes_the_connection) {
    for (const Bytes& prefix : {Bytes{0, 0}, Bytes{0, 11}, Bytes{0x10, 0x01}, Bytes{0xff, 0xff}}) {
        StreamWorld w;
        Peer client = connect(w.listen(Transport::tcp));
        BOOST_REQUIRE(w.until([&] { return client.send(prefix); }));
        BOOST_TEST(w.until([&] { return !client.receive(); }));
        BOOST_TEST(w.count(StreamCount::tcp_malformed) == 1U);
        BOOST_TEST(w.thread->connections() == 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_client_that_closed_its_side_still_gets_its_answers) {
    StreamWorld w;
    Peer client = connect(w.listen(Transport::tcp));
    BOOST_REQUIRE(w.until([&] { return client.send_framed(make_query(1, "n.example")); }));
    client.shut_down_sending();
    BOOST_REQUIRE(w.until([&] { return w.queries.size() == 1; }));
    for (int i = 0; i < 5; ++i)
        w.turn();
    w.answer(w.queries[0], make_response(w.queries[0].query, 1));
    BOOST_TEST(w.until([&] { return client.next_framed().has_value(); }));
    BOOST_TEST(w.until([&] { return !client.receive(); }));
}

BOOST_AUTO_TEST_CASE(a_dropped_query_closes_the_connection_after_the_other_answers) {
    StreamWorld w;
    Peer client = connect(w.listen(Transport::tcp));
    BOOST_REQUIRE(w.until([&] { return client.send_framed(make_query(1, "n.example")); }));
    client.send_framed(make_query(2, "n.example"));
    BOOST_REQUIRE(w.until([&] { return w.queries.size() == 2; }));
    w.drop(w.queries[0]);
    for (int i = 0; i < 5; ++i)
        w.turn();
    BOOST_TEST(client.receive());
    w.answer(w.queries[1], make_response(w.queries[1].query, 1));
    BOOST_TEST(w.until([&] { return client.next_framed().has_value(); }));
    BOOST_TEST(w.until([&] { return !client.receive(); }));
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_closed_when_its_time_is_over) {
    StreamWorld w;
    w.answer_all = true;
    Peer client = connect(w.listen(Transport::tcp, false, 10s));
    BOOST_REQUIRE(w.until([&] { return client.send_framed(make_query(1, "n.example")); }));
    BOOST_REQUIRE(w.until([&] { return client.next_framed().has_value(); }));
    w.pass(8s);
    for (int i = 0; i < 5; ++i)
        w.turn();
    BOOST_TEST(client.receive());
    w.pass(2s);
    BOOST_TEST(w.until([&] { return !client.receive(); }));
    BOOST_TEST(w.count(StreamCount::tcp_idle) == 1U);
}

BOOST_AUTO_TEST_CASE(single_bytes_do_not_prolong_the_idle_timeout) {
    StreamWorld w;
    Peer client = connect(w.listen(Transport::tcp, false, 10s));
    for (const std::uint8_t byte : Bytes{0, 40, 1, 2, 3}) {
        BOOST_REQUIRE(w.until([&] { return client.send({byte}); }));
        w.turn();
        w.pass(3s);
    }
    BOOST_TEST(w.until([&] { return !client.receive(); }));
    BOOST_TEST(w.count(StreamCount::tcp_idle) == 1U);
}

BOOST_AUTO_TEST_CASE(a_pending_query_keeps_the_connection_open) {
    StreamWorld w;
    Peer client = connect(w.listen(Transport::tcp, false, 10s));
    BOOST_REQUIRE(w.until([&] { return client.send_framed(make_query(1, "n.example")); }));
    BOOST_REQUIRE(w.until([&] { return w.queries.size() == 1; }));
    w.pass(25s);
    for (int i = 0; i < 5; ++i)
        w.turn();
    w.answer(w.queries[0], make_response(w.queries[0].query, 1));
    BOOST_TEST(w.until([&] { return client.next_framed().has_value(); }));
}

// As StreamThreads has it: a copy of the socket for each thread, and one service.
BOOST_AUTO_TEST_CASE(limits_count_over_all_threads) {
    StreamWorld one, other;
    const auto socket = stream::open_listen_socket({Transport::tcp, address("127.0.0.1"), 0});
    BOOST_REQUIRE(socket.has_value());
    stream::SocketAddress bound;
    BOOST_REQUIRE(::getsockname(*socket, bound.get(), &bound.length) == 0);
    const stream::ListenAddress where{Transport::tcp, address("127.0.0.1"), bound.port()};
    const auto service = std::make_shared<const stream::Service>(
        stream::Service{.limits = {.max_connections = 10, .max_connections_per_client = 5}});
    const int copy = ::dup(*socket);
    one.thread->add_tcp(where, *socket, service);
    other.thread->add_tcp(where, copy, service);
    std::vector<Peer> clients;
    for (unsigned i = 0; i < 8; ++i) {
        clients.push_back(connect(bound.port()));
        StreamWorld& who = i % 2 == 0 ? one : other;
        const auto done = [&] {
            return one.thread->connections() + other.thread->connections() +
                       one.count(StreamCount::tcp_over_client_limit) +
                       other.count(StreamCount::tcp_over_client_limit) ==
                   i + 1;
        };
        BOOST_REQUIRE(who.until(done));
    }
    BOOST_TEST(one.thread->connections() == 3U);
    BOOST_TEST(other.thread->connections() == 2U);
    clients.clear();
    BOOST_TEST(one.until([&] { return one.thread->connections() == 0; }));
    BOOST_TEST(other.until([&] { return other.thread->connections() == 0; }));
    BOOST_TEST(service->counts->in_all() == 0U);
}

BOOST_AUTO_TEST_CASE(limits_count_by_ipv4_address_or_ipv6_network) {
    stream::ClientCounts counts;
    BOOST_TEST(counts.take(address("2001:db8::1"), 2));
    BOOST_TEST(counts.take(address("2001:db8::ffff:2"), 2));
    BOOST_TEST(!counts.take(address("2001:db8::3"), 2));
    BOOST_TEST(counts.take(address("2001:db8:0:1::1"), 2));
    BOOST_TEST(counts.take(address("192.0.2.1"), 1));
    BOOST_TEST(counts.take(address("192.0.2.2"), 1));
    BOOST_TEST(!counts.take(address("192.0.2.1"), 1));
    counts.leave(address("192.0.2.1"));
    BOOST_TEST(counts.take(address("192.0.2.1"), 1));
}

BOOST_AUTO_TEST_CASE(answers_of_a_closed_connection_are_dropped) {
    StreamWorld w;
    {
        Peer client = connect(w.listen(Transport::tcp));
        BOOST_REQUIRE(w.until([&] { return client.send_framed(make_query(1, "n.example")); }));
        BOOST_REQUIRE(w.until([&] { return w.queries.size() == 1; }));
        const linger at_once{1, 0};
        ::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    BOOST_TEST(w.until([&] { return w.thread->connections() == 0; }));
    w.answer(w.queries[0], make_response(w.queries[0].query, 1));
    BOOST_TEST(w.until([&] { return w.count(StreamCount::answers_too_late) == 1; }));
}

BOOST_AUTO_TEST_CASE(connections_per_client_are_limited) {
    StreamWorld w(1, {.max_connections = 100, .max_connections_per_client = 3});
    const auto port = w.listen(Transport::tcp);
    std::vector<Peer> clients;
    for (int i = 0; i < 5; ++i)
        clients.push_back(connect(port));
    BOOST_TEST(w.until([&] { return w.count(StreamCount::tcp_over_client_limit) == 2; }));
    BOOST_TEST(w.thread->connections() == 3U);
}

namespace {

std::shared_ptr<LimitPolicy> one_limit(LimitWhat what, double burst) {
    auto policy = std::make_shared<LimitPolicy>();
    policy->tables = std::make_shared<LimitTables>();
    policy->tables->streams.push_back(std::make_unique<LimitThread>(std::size_t{1} << 16, 1));
    LimitRow row;
    row.name = fact_of(what).name;
    row.what = what;
    row.rate = LimitRate::of(0.01, burst);
    policy->add(std::move(row));
    return policy;
}

}  // namespace

BOOST_AUTO_TEST_CASE(connections_above_a_row_of_limits_are_closed) {
    StreamWorld w(1, {.max_connections = 100, .max_connections_per_client = 100});
    const auto policy = one_limit(LimitWhat::connections, 3);
    w.thread->set_limits(policy, 7);
    w.turn();
    const auto port = w.listen(Transport::tcp);
    std::vector<Peer> clients;
    for (int i = 0; i < 5; ++i)
        clients.push_back(connect(port));
    BOOST_TEST(w.until([&] { return w.count(StreamCount::tcp_limited) == 2; }));
    BOOST_TEST(w.thread->connections() == 3U);
    const auto& counts = policy->tables->streams[0]->counts[0];
    BOOST_TEST(counts[static_cast<std::size_t>(LimitDecision::dropped)].get() == 2U);
}

BOOST_AUTO_TEST_CASE(a_connection_with_queries_above_a_row_of_limits_is_closed_after_its_answers) {
    StreamWorld w;
    w.thread->set_limits(one_limit(LimitWhat::streams, 2), 7);
    w.turn();
    Peer client = connect(w.listen(Transport::tcp));
    for (std::uint16_t i = 1; i <= 3; ++i)
        BOOST_REQUIRE(w.until([&] { return client.send_framed(make_query(i, "n.example")); }));
    BOOST_REQUIRE(w.until([&] { return w.count(StreamCount::streams_limited) == 1; }));
    BOOST_REQUIRE_EQUAL(w.queries.size(), 2U);
    for (const auto& query : w.queries)
        w.answer(query, make_response(query.query, 1));
    BOOST_TEST(w.until([&] { return client.next_framed().has_value(); }));
    BOOST_TEST(w.until([&] { return w.thread->connections() == 0; }));
}

namespace {

// Replaces a set of addresses while a thread of `streams` tests a client, and notes whether the
// old set could be freed.
class ReplacingClock final : public Clock {
  public:
    explicit ReplacingClock(rte_rcu_qsbr* qsbr) : qsbr_(qsbr), published_(live->set, qsbr) {
        published_.put(std::make_unique<const matchers::PrefixSet>());
    }
    Now now() override {
        ++times;
        published_.put(std::make_unique<const matchers::PrefixSet>());
        token = rte_rcu_qsbr_start(qsbr_);
        is_freed = is_freed || rte_rcu_qsbr_check(qsbr_, token, false) == 1;
        return {1'000};
    }

    std::shared_ptr<LivePrefixes> live = std::make_shared<LivePrefixes>();
    unsigned times = 0;
    std::uint64_t token = 0;
    bool is_freed = false;

  private:
    rte_rcu_qsbr* const qsbr_;
    Published<matchers::PrefixSet> published_;
};

struct FreeQsbr {
    void operator()(rte_rcu_qsbr* qsbr) const { std::free(qsbr); }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_set_of_limits_is_not_freed_while_streams_reads_it) {
    constexpr unsigned kReaders = 3;
    const std::size_t bytes = rte_rcu_qsbr_get_memsize(kReaders);
    const std::unique_ptr<rte_rcu_qsbr, FreeQsbr> qsbr(static_cast<rte_rcu_qsbr*>(
        std::aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(bytes, RTE_CACHE_LINE_SIZE))));
    BOOST_REQUIRE(rte_rcu_qsbr_init(qsbr.get(), kReaders) == 0);
    Sleeper sleeper{-1};
    BufferPools buffers{16, 4};
    ReplacingClock clock(qsbr.get());
    stream::StreamContext context{0, {{}, {}, &sleeper, qsbr.get(), 2}, buffers, clock};
    auto policy = std::make_shared<LimitPolicy>();
    policy->tables = std::make_shared<LimitTables>();
    policy->tables->streams.push_back(std::make_unique<LimitThread>(std::size_t{1} << 16, 1));
    LimitRow row;
    row.what = LimitWhat::streams;
    row.rate = LimitRate::of(1, 1);
    row.except = AddressSet({}, {clock.live});
    policy->add(std::move(row));
    context.limits = std::move(policy);

    const IpAddress client = address("192.0.2.1"), local = address("192.0.2.53");
    BOOST_TEST(context.lets_pass(LimitWhat::streams, client, local, 53));
    BOOST_TEST(clock.times == 1U);
    BOOST_TEST(!clock.is_freed);
    // Between its queries, the thread delays no writer.
    BOOST_TEST(rte_rcu_qsbr_check(qsbr.get(), clock.token, false) == 1);
}

BOOST_AUTO_TEST_CASE(queries_of_a_turn_wake_their_worker_once_behind_the_last) {
    Sleeper sleeper{-1}, worker{::eventfd(0, EFD_NONBLOCK)};
    Ring<Message> to_worker(64, &worker);
    BufferPools buffers{64, 4};
    BootClock clock;
    stream::StreamContext context{0, {{&to_worker}, {}, &sleeper}, buffers, clock};
    stream::Injector injector(context);
    struct Nobody final : stream::ResponseHandler {
        void take_answer(const stream::QueryOrigin&, Buffer* response) override {
            release(response);
        }
    };
    const auto nobody = std::make_shared<Nobody>();
    const Bytes query = make_query(7, "www.example");
    std::uint64_t wakes = 0;
    worker.going_to_sleep();
    for (unsigned i = 0; i < 3; ++i) {
        Buffer* const buffer = injector.take_buffer(query.size());
        BOOST_REQUIRE(buffer != nullptr);
        std::ranges::copy(query, stream::Injector::query_room(*buffer).begin());
        BOOST_REQUIRE(injector.inject(nobody, {}, buffer, query.size()));
        BOOST_TEST(::read(worker.event_fd(), &wakes, sizeof wakes) == -1);
    }
    context.io.poll();
    BOOST_TEST(::read(worker.event_fd(), &wakes, sizeof wakes) ==
               static_cast<ssize_t>(sizeof wakes));
    BOOST_TEST(wakes == 1U);
    std::array<Message, 4> messages;
    const unsigned sent = to_worker.pop(messages.data(), messages.size());
    BOOST_TEST(sent == 3U);
    for (unsigned i = 0; i < sent; ++i)
        release(messages[i].buffer);
    ::close(worker.event_fd());
}

BOOST_AUTO_TEST_CASE(the_longest_idle_connection_makes_room) {
    StreamWorld w(1, {.max_connections = 2, .max_connections_per_client = 100});
    const auto port = w.listen(Transport::tcp);
    Peer busy = connect(port);
    BOOST_REQUIRE(w.until([&] { return busy.send_framed(make_query(1, "n.example")); }));
    BOOST_REQUIRE(w.until([&] { return w.queries.size() == 1; }));
    Peer idle = connect(port);
    BOOST_REQUIRE(w.until([&] { return w.thread->connections() == 2; }));
    Peer third = connect(port);
    BOOST_TEST(w.until([&] { return !idle.receive(); }));
    BOOST_TEST(busy.receive());
    BOOST_TEST(w.count(StreamCount::tcp_made_room) == 1U);
    BOOST_REQUIRE(w.until([&] { return third.send_framed(make_query(2, "n.example")); }));
    BOOST_REQUIRE(w.until([&] { return w.queries.size() == 2; }));
    Peer fourth = connect(port);  // no connection is idle
    BOOST_TEST(w.until([&] { return w.count(StreamCount::tcp_over_limit) == 1; }));
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_is_paused_and_then_closed) {
    StreamWorld w(1, {}, 512);
    Peer client = connect(w.listen(Transport::tcp, false, 100ms));
    unsigned sent = 0;
    std::size_t answered = 0;
    const bool closed = w.until([&] {
        if (sent < 500 && client.send_framed(make_query(1, "n.example"))) ++sent;
        for (; answered < w.queries.size(); ++answered) {
            Bytes big = make_response(w.queries[answered].query, 1);
            big.resize(60'000);
            w.answer(w.queries[answered], big);
        }
        return w.count(StreamCount::tcp_stalled) == 1;
    });
    BOOST_TEST(closed);
    BOOST_TEST(w.thread->connections() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
