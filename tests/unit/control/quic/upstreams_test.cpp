// Connections to upstreams: what the daemon gets of them, and what ends them.
#include "control/streams/quic/upstream_connections.h"

#include <boost/test/unit_test.hpp>

#include "control/streams/quic/doq_client.h"
#include "pair.h"
#include "support/quic_account.h"

namespace steer::quic::test {
namespace {

BOOST_AUTO_TEST_SUITE(upstreams)

BOOST_AUTO_TEST_CASE(a_query_is_asked_and_answered) {
    Pair p;
    const auto connection = p.connect();
    BOOST_TEST_REQUIRE(p.ready.contains(connection));
    BOOST_TEST(!p.ready[connection].is_resumed);
    BOOST_TEST(p.ready[connection].chain.size() == 1U);
    BOOST_TEST(p.ready[connection].streams > 1U);
    const auto ask = p.ask(connection);
    p.run();
    BOOST_REQUIRE_EQUAL(p.world.passed.size(), 1U);
    BOOST_TEST(p.world.passed[0].message == message());
    BOOST_TEST(p.world.passed[0].server_name == "dns.example");
    p.answer_all();
    BOOST_REQUIRE_EQUAL(p.replies.size(), 1U);
    BOOST_TEST(p.replies[0].ask == ask);
    BOOST_TEST((p.replies[0].end == AskEnd::answered));
    BOOST_TEST(p.replies[0].message.size() == message().size());
    BOOST_TEST(p.get(QuicCount::upstream_answers) == 1U);
}

BOOST_AUTO_TEST_CASE(no_query_is_sent_before_the_certificates_are_accepted) {
    Pair p;
    const auto connection = p.connect(false);
    const auto early = p.ask(connection);
    p.run();
    BOOST_TEST(p.world.passed.empty());
    BOOST_REQUIRE_EQUAL(p.replies.size(), 1U);
    BOOST_TEST(p.replies[0].ask == early);
    BOOST_TEST((p.replies[0].end == AskEnd::unprocessed));
    p.upstreams.accept(connection);
    p.ask(connection);
    p.run();
    BOOST_TEST(p.world.passed.size() == 1U);
}

BOOST_AUTO_TEST_CASE(many_queries_share_a_connection_and_its_streams) {
    config::ServerLimits limits;
    limits.max_queries = 8;
    Pair p(limits);
    const auto connection = p.connect();
    BOOST_TEST(p.ready[connection].streams == 8U);
    for (unsigned i = 0; i < 8; ++i)
        p.ask(connection);
    const auto above = p.ask(connection);
    p.run();
    BOOST_TEST(p.world.passed.size() == 8U);
    BOOST_REQUIRE_EQUAL(p.replies.size(), 1U);
    BOOST_TEST(p.replies[0].ask == above);
    BOOST_TEST((p.replies[0].end == AskEnd::unprocessed));
    p.answer_all();
    BOOST_TEST(p.replies.size() == 9U);
    BOOST_TEST(p.streams[connection] == 16U);
    for (unsigned i = 0; i < 8; ++i)
        p.ask(connection);
    p.run();
    BOOST_TEST(p.world.passed.size() == 8U);
}

// One after the other, as the window of a server lets them pass.
BOOST_AUTO_TEST_CASE(the_longest_messages_pass_in_both_directions) {
    Pair p;
    const auto connection = p.connect();
    Bytes longest = message();
    longest.resize(65'535);
    for (std::size_t i = 1; i <= 40; ++i) {
        p.ask(connection, longest);
        p.run();
        p.answer_all();
        BOOST_REQUIRE_EQUAL(p.replies.size(), i);
        BOOST_TEST(p.replies.back().message.size() == longest.size());
    }
}

BOOST_AUTO_TEST_CASE(a_session_is_resumed_only_if_it_was_accepted) {
    Pair p;
    p.connect(false, 1);
    auto next = p.connect(true, 1);
    BOOST_TEST(!p.ready[next].is_resumed);
    next = p.connect(true, 1);
    BOOST_TEST(p.ready[next].is_resumed);
    BOOST_TEST(p.ready[next].chain.empty());
    BOOST_TEST(p.get(QuicCount::upstreams_resumed) == 1U);
    // It needs no acceptance.
    p.ask(next);
    p.run();
    BOOST_TEST(p.world.passed.size() == 1U);
    // Other settings have no ticket.
    const auto other = p.connect(true, 2);
    BOOST_TEST(!p.ready[other].is_resumed);
}

BOOST_AUTO_TEST_CASE(a_cancelled_query_ends_its_stream) {
    config::ServerLimits limits;
    limits.max_queries = 4;
    Pair p(limits);
    const auto connection = p.connect();
    const auto ask = p.ask(connection);
    p.run();
    p.upstreams.cancel(connection, ask, p.world.now);
    p.run();
    BOOST_TEST(p.world.get(QuicCount::resets_received) == 1U);
    BOOST_TEST(p.replies.empty());
    p.answer_all();
    BOOST_TEST(p.replies.empty());
    BOOST_TEST(p.streams[connection] > p.ready[connection].streams);
    p.ask(connection);
    p.run();
    p.answer_all();
    BOOST_TEST(p.replies.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_query_that_the_upstream_resets_fails_alone) {
    Pair p;
    const auto connection = p.connect();
    const auto lost = p.ask(connection);
    p.ask(connection);
    p.run();
    BOOST_REQUIRE_EQUAL(p.world.passed.size(), 2U);
    p.world.answer(p.world.passed[0], {}, QueryEnd::unanswered);
    p.world.passed.erase(p.world.passed.begin());
    p.answer_all();
    BOOST_REQUIRE_EQUAL(p.replies.size(), 2U);
    for (const auto& reply : p.replies)
        BOOST_TEST((reply.end == (reply.ask == lost ? AskEnd::failed : AskEnd::answered)));
    BOOST_TEST(p.ended.empty());
}

BOOST_AUTO_TEST_CASE(queries_of_a_connection_that_the_upstream_closes_may_be_asked_again) {
    Pair p;
    const auto connection = p.connect();
    p.ask(connection);
    p.run();
    p.world.server->close_all(p.world.times());
    p.run();
    BOOST_REQUIRE_EQUAL(p.replies.size(), 1U);
    BOOST_TEST((p.replies[0].end == AskEnd::lost));
    BOOST_TEST((p.ended.at(connection).how == UpstreamEnd::closed));
    BOOST_TEST(p.ended.at(connection).why.empty());
    p.pass(2'000);
    BOOST_TEST(p.sockets.empty());
}

BOOST_AUTO_TEST_CASE(a_stateless_reset_ends_a_connection) {
    Pair p;
    const auto connection = p.connect();
    QuicSecrets secrets;
    secrets.tokens.fill(1);
    secrets.resets.fill(2);
    p.world.server =
        std::make_unique<QuicServer>(0, 1, secrets, p.world, p.world, fill_random, *p.world.memory);
    p.ask(connection);
    p.run();
    BOOST_REQUIRE_EQUAL(p.replies.size(), 1U);
    BOOST_TEST((p.replies[0].end == AskEnd::lost));
    BOOST_TEST(p.ended.at(connection).why.find("stateless reset") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_upstream_without_our_protocol_is_refused) {
    Pair p({}, "h3");
    const auto connection = p.connect();
    BOOST_TEST((p.ended.at(connection).how == UpstreamEnd::handshake));
    BOOST_TEST_MESSAGE(p.ended.at(connection).why);
    BOOST_TEST(p.ended.at(connection).why.find("application protocol") != std::string::npos);
    BOOST_TEST(p.get(QuicCount::upstreams_failed) == 1U);
    BOOST_TEST(p.sockets.empty());
}

BOOST_AUTO_TEST_CASE(a_handshake_without_an_answer_ends) {
    Pair p;
    p.loses = true;
    const auto connection = p.connect();
    p.pass(6'000);
    BOOST_TEST((p.ended.at(connection).how == UpstreamEnd::no_answer));
    BOOST_TEST(p.sockets.empty());
}

BOOST_AUTO_TEST_CASE(a_machine_that_refuses_ends_a_handshake_and_no_connection) {
    Pair p;
    const auto good = p.connect();
    p.upstreams.refused(good);
    p.loses = true;
    const auto bad = p.connect();
    p.upstreams.refused(bad);
    BOOST_TEST(!p.ended.contains(good));
    BOOST_TEST((p.ended.at(bad).how == UpstreamEnd::refused));
    BOOST_TEST(p.sockets.size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_daemon_closes_a_connection) {
    Pair p;
    const auto connection = p.connect();
    p.ask(connection);
    p.run();
    p.upstreams.close(connection, p.world.now);
    p.run();
    BOOST_TEST(p.replies.empty());
    BOOST_TEST(p.ended.empty());
    BOOST_TEST(p.world.server->open() == p.world.server->ending());
    p.pass(2'000);
    BOOST_TEST(p.sockets.empty());
    p.ask(connection);
    BOOST_TEST(p.replies.empty());
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_kept_only_if_it_is_to_be) {
    for (const bool keeps : {false, true}) {
        Pair p;
        p.keeps_alive = keeps;
        const auto connection = p.connect();
        p.pass(31'000);
        BOOST_TEST(p.ended.contains(connection) == !keeps);
    }
}

BOOST_AUTO_TEST_CASE(retry_proves_our_address) {
    Pair p;
    for (unsigned i = 0; i < QuicServer::kRetryFrom; ++i)
        p.world.connect({.port = static_cast<std::uint16_t>(30'000 + i)});
    for (const auto& client : p.world.clients) {
        for (const Datagram& one : client->write(p.world.now))
            p.world.server->receive(p.world.service, one.bytes, 0,
                                    {one.path.remote, one.path.local}, p.world.times());
    }
    const auto connection = p.connect();
    BOOST_TEST(p.world.get(QuicCount::retries_sent) == 1U);
    BOOST_TEST(p.ready.contains(connection));
}

// ---- early data

// With what the next connection needs for it.
void connect_before(Pair& p) {
    p.accept_early();
    p.early_data = true;
    const auto before = p.connect();
    BOOST_TEST(!p.ready[before].is_resumed);
    p.upstreams.close(before, p.world.now);
    p.run();
}

BOOST_AUTO_TEST_CASE(early_data_arrives_with_the_handshake) {
    for (const bool is_http : {false, true}) {
        auto p = is_http ? std::make_unique<Pair>(HttpPaths{{{"/dns-query"}}, ""})
                         : std::make_unique<Pair>();
        connect_before(*p);
        const auto connection = p->connect();
        BOOST_TEST_REQUIRE(p->ready.contains(connection));
        BOOST_TEST(p->ready[connection].is_resumed);
        p->ask(connection);
        p->run_to_server();
        BOOST_REQUIRE_EQUAL(p->world.passed.size(), 1U);
        BOOST_TEST(p->world.passed[0].message == message());
        BOOST_TEST(p->world.get(QuicCount::early) == 1U);
        p->answer_all();
        BOOST_REQUIRE_EQUAL(p->replies.size(), 1U);
        BOOST_TEST((p->replies[0].end == AskEnd::answered));
        BOOST_TEST(p->ended.empty());
        BOOST_TEST(p->get(QuicCount::upstreams_early) == 1U);
        BOOST_TEST(p->get(QuicCount::upstreams_resumed) == 1U);
        // The connection goes on as any other.
        p->ask(connection);
        p->run();
        p->answer_all();
        BOOST_TEST(p->replies.size() == 2U);
    }
}

BOOST_AUTO_TEST_CASE(early_data_that_is_replayed_is_not_taken_again) {
    Pair p;
    const auto other = p.early_tls();
    connect_before(p);
    const auto connection = p.connect();
    p.ask(connection);
    p.sent.clear();
    p.run_to_server();
    const std::vector<Bytes> recorded = p.sent;
    BOOST_REQUIRE_EQUAL(p.world.passed.size(), 1U);
    const auto path = p.path_of(connection);
    const auto before = std::move(p.world.server);
    // Of the same box, and of another one with the same secrets: its memory is its own.
    for (const bool is_other : {false, true}) {
        if (is_other) p.world.service->tls = other;
        QuicSecrets secrets;
        secrets.tokens.fill(1);
        secrets.resets.fill(2);
        p.world.server = std::make_unique<QuicServer>(0, 1, secrets, p.world, p.world, fill_random,
                                                      *p.world.memory);
        p.world.passed.clear();
        for (const Bytes& one : recorded)
            p.world.server->receive(p.world.service, one, 0, {path.remote, path.local},
                                    p.world.times());
        BOOST_TEST(p.world.get(QuicCount::accepted) == 1U);
        BOOST_TEST(p.world.get(QuicCount::early) == (is_other ? 1U : 0U));
        BOOST_TEST(p.world.passed.size() == (is_other ? 1U : 0U));
    }
}

BOOST_AUTO_TEST_CASE(without_a_proof_of_the_address_early_data_is_not_taken) {
    Pair p;
    connect_before(p);
    QuicSecrets secrets;
    secrets.tokens.fill(7);
    p.world.server =
        std::make_unique<QuicServer>(0, 1, secrets, p.world, p.world, fill_random, *p.world.memory);
    const auto connection = p.connect();
    BOOST_TEST_REQUIRE(p.ready.contains(connection));
    p.ask(connection);
    p.run();
    BOOST_TEST(p.world.passed.empty());
    BOOST_REQUIRE_EQUAL(p.replies.size(), 1U);
    BOOST_TEST((p.replies[0].end == AskEnd::unprocessed));
    BOOST_TEST(p.ended.at(connection).why == "it does not accept early data");
    BOOST_TEST(p.get(QuicCount::upstreams_early_refused) == 1U);
    // The next connection waits for its handshake.
    const auto next = p.connect();
    BOOST_TEST_REQUIRE(p.ready.contains(next));
    BOOST_TEST(p.get(QuicCount::upstreams_early) == 1U);
    p.ask(next);
    p.run();
    BOOST_TEST(p.world.passed.size() == 1U);
}

BOOST_AUTO_TEST_CASE(after_a_failure_no_early_data_is_sent) {
    Pair p;
    connect_before(p);
    p.loses = true;
    const auto lost = p.connect();
    p.ask(lost);
    p.pass(6'000);
    BOOST_REQUIRE_EQUAL(p.replies.size(), 1U);
    BOOST_TEST((p.replies[0].end == AskEnd::lost));
    BOOST_TEST(p.ended.contains(lost));
    p.ready.clear();
    const auto next = p.connect();
    BOOST_TEST(!p.ready.contains(next));
    p.pass(6'000);
    BOOST_TEST((p.ended.at(next).how == UpstreamEnd::no_answer));
    // A complete handshake lets it be sent again.
    p.loses = false;
    p.connect();
    p.connect();
    BOOST_TEST(p.get(QuicCount::upstreams_early) == 2U);
}

BOOST_AUTO_TEST_CASE(a_session_that_is_not_resumed_is_judged) {
    Pair p;
    connect_before(p);
    p.world.service->tls = *ServerTls::make({.chain = certificate().chain,
                                             .key = certificate().key,
                                             .protocols = {"doq"},
                                             .ticket_key = std::string(kTicketKeyBytes, 'x'),
                                             .early_data = true});
    const auto connection = p.connect();
    p.ask(connection);
    p.run();
    BOOST_TEST(p.ended.contains(connection));
    BOOST_TEST(p.world.passed.empty());
    const auto next = p.connect(false);
    BOOST_TEST(p.ready[next].chain.size() == 1U);
}

// Its ticket would resume a session whose certificate was never judged.
BOOST_AUTO_TEST_CASE(a_server_that_refuses_early_data_leaves_no_ticket) {
    for (const bool reverses : {false, true}) {
        Pair p;
        connect_before(p);
        p.world.service->tls = *ServerTls::make({.chain = certificate().chain,
                                                 .key = certificate().key,
                                                 .protocols = {"doq"},
                                                 .ticket_key = std::string(kTicketKeyBytes, 'x')});
        p.reverses = reverses;
        p.ask(p.connect());
        p.run();
        BOOST_TEST(p.get(QuicCount::upstreams_early_refused) == 1U);
        p.reverses = false;
        const auto next = p.connect(false);
        BOOST_TEST(!p.ready[next].is_resumed);
        BOOST_TEST(p.ready[next].chain.size() == 1U);
    }
}

BOOST_AUTO_TEST_CASE(cancelled_queries_that_are_never_ended_close_the_connection) {
    config::ServerLimits limits;
    limits.max_queries = 250;
    Pair p(limits);
    const auto connection = p.connect();
    p.run();
    // The upstream's answers to the ends of streams are lost.
    p.loses = true;
    for (std::size_t i = 0; i <= UpstreamConnections::kMostStale; ++i) {
        BOOST_TEST(!p.ended.contains(connection));
        p.upstreams.cancel(connection, p.ask(connection), p.world.now);
    }
    p.upstreams.flush(p.world.now);
    BOOST_TEST(p.ended.at(connection).why.find("cancelled") != std::string::npos);
}

// ---- DoqClient: what an upstream sends on a stream

struct Streams final : ClientControl, ReplyTaker {
    void consumed(std::uint64_t bytes) override { all_consumed += bytes; }
    void reset(StreamId, std::uint64_t code) override { resets.push_back(code); }
    void consumed_of(StreamId, std::uint64_t) override {}
    void stop_reading(StreamId, std::uint64_t) override {}
    std::optional<StreamId> open_uni_stream() override { return std::nullopt; }
    std::optional<StreamId> open_stream() override { return std::exchange(next, next + 4); }
    void takes_no_more() override {}
    void take_reply(std::uint64_t, AskEnd end, std::span<const std::uint8_t>,
                    const AnswerFacts&) override {
        ends.push_back(end);
    }
    Account& account() override { return memory.account; }
    QuicAccount memory;
    StreamId next = 0;
    std::uint64_t all_consumed = 0;
    std::vector<std::uint64_t> resets;
    std::vector<AskEnd> ends;
};

BOOST_AUTO_TEST_CASE(what_breaks_the_rules_closes_the_connection) {
    const Bytes good = framed(message());
    Bytes longer = good, shorter = good, with_id = good, tiny{0, 3, 0, 0, 0};
    longer.push_back(0);
    shorter.pop_back();
    with_id[3] = 9;
    for (const Bytes& bytes : {longer, shorter, with_id, tiny, Bytes{}, Bytes{0}}) {
        Streams s;
        DoqClient client(s, s);
        client.ask(1, message());
        BOOST_TEST((client.receive(0, bytes, true) == code_of(DoqError::protocol_error)));
        BOOST_REQUIRE_EQUAL(s.ends.size(), 1U);
        BOOST_TEST((s.ends[0] == AskEnd::bad));
    }
    Streams s;
    DoqClient client(s, s);
    client.ask(1, message());
    BOOST_TEST(!client.receive(0, good, true).has_value());
    BOOST_TEST((s.ends[0] == AskEnd::answered));
    BOOST_TEST(s.all_consumed == good.size());
    BOOST_TEST(client.opened(1).has_value());
    BOOST_TEST(client.receive(8, good, true).has_value());
}

BOOST_AUTO_TEST_CASE(a_reply_without_its_end_is_none) {
    Streams s;
    DoqClient client(s, s);
    client.ask(1, message());
    BOOST_TEST(!client.receive(0, framed(message()), false).has_value());
    BOOST_TEST(s.ends.empty());
    BOOST_TEST(!client.receive(0, {}, true).has_value());
    BOOST_TEST((s.ends.at(0) == AskEnd::answered));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::quic::test
