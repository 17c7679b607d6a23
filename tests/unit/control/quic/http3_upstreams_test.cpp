// Upstreams over HTTP/3: what their answers mean, and what ends a query or the connection.
#include <boost/test/unit_test.hpp>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "control/streams/quic/http3_client.h"
#include "pair.h"
#include "support/qpack_literals.h"
#include "support/quic_account.h"

namespace steer::quic::test {
namespace {

const HttpPaths kPaths{{{"/other"}, {"/dns-query"}}, ""};

// ---- our server as the upstream

BOOST_AUTO_TEST_SUITE(http3_upstreams)

BOOST_AUTO_TEST_CASE(a_query_is_asked_and_answered) {
    Pair p(kPaths);
    const auto connection = p.connect();
    BOOST_TEST_REQUIRE(p.ready.contains(connection));
    BOOST_TEST(p.ready[connection].chain.size() == 1U);
    const auto ask = p.ask(connection);
    p.run();
    BOOST_REQUIRE_EQUAL(p.world.passed.size(), 1U);
    BOOST_TEST(p.world.passed[0].message == message());
    BOOST_TEST(p.world.passed[0].path == 1U);
    p.answer_all();
    BOOST_REQUIRE_EQUAL(p.replies.size(), 1U);
    BOOST_TEST(p.replies[0].ask == ask);
    BOOST_TEST((p.replies[0].end == AskEnd::answered));
    BOOST_TEST(p.replies[0].message.size() == message().size());
}

BOOST_AUTO_TEST_CASE(a_refusal_ends_its_query_alone) {
    Pair p(kPaths);
    p.http.path = "/else";
    const auto lost = p.connect();
    p.ask(lost);
    p.run();
    BOOST_TEST(p.world.passed.empty());
    BOOST_REQUIRE_EQUAL(p.replies.size(), 1U);
    BOOST_TEST((p.replies[0].end == AskEnd::bad));
    BOOST_TEST(p.ended.empty());
}

BOOST_AUTO_TEST_CASE(many_queries_share_a_connection_and_its_streams) {
    config::ServerLimits limits;
    limits.max_queries = 8;
    Pair p(kPaths, limits);
    const auto connection = p.connect();
    for (unsigned round = 1; round <= 5; ++round) {
        for (unsigned i = 0; i < 8; ++i)
            p.ask(connection);
        p.run();
        BOOST_TEST(p.world.passed.size() == 8U);
        p.answer_all();
        BOOST_REQUIRE_EQUAL(p.replies.size(), 8 * round);
        BOOST_TEST((p.replies.back().end == AskEnd::answered));
        BOOST_TEST(p.streams[connection] == 8 + 8 * round);
    }
}

BOOST_AUTO_TEST_CASE(the_longest_answers_pass) {
    Pair p(kPaths);
    const auto connection = p.connect();
    for (std::size_t i = 1; i <= 40; ++i) {
        p.ask(connection);
        p.run();
        BOOST_REQUIRE_EQUAL(p.world.passed.size(), 1U);
        Bytes longest = message();
        longest.resize(65'535);
        p.world.answer(p.world.passed[0], longest);
        p.world.passed.clear();
        p.run();
        BOOST_REQUIRE_EQUAL(p.replies.size(), i);
        BOOST_TEST(p.replies.back().message.size() == longest.size());
    }
}

BOOST_AUTO_TEST_CASE(a_session_is_resumed) {
    Pair p(kPaths);
    p.connect();
    BOOST_TEST(p.ready[p.connect()].is_resumed);
}

BOOST_AUTO_TEST_CASE(a_server_that_goes_away_is_asked_no_more) {
    Pair p(kPaths);
    const auto connection = p.connect();
    p.ask(connection);
    p.run();
    p.world.server->set_draining(true);
    p.ask(connection);
    p.run();
    BOOST_TEST(p.streams[connection] == 2U);
    p.ask(connection);
    BOOST_REQUIRE_EQUAL(p.replies.size(), 1U);
    BOOST_TEST((p.replies[0].end == AskEnd::unprocessed));
    p.answer_all();
    BOOST_REQUIRE_EQUAL(p.replies.size(), 3U);
    BOOST_TEST((p.replies[2].end == AskEnd::answered));
}

BOOST_AUTO_TEST_CASE(the_daemon_cancels_a_query) {
    Pair p(kPaths);
    const auto connection = p.connect();
    const auto ask = p.ask(connection);
    p.run();
    p.upstreams.cancel(connection, ask, p.world.now);
    p.run();
    BOOST_TEST(p.world.get(QuicCount::resets_received) == 1U);
    p.answer_all();
    BOOST_TEST(p.replies.empty());
    p.ask(connection);
    p.run();
    p.answer_all();
    BOOST_TEST(p.replies.size() == 1U);
}

// ---- an upstream that is the test: bytes of its streams

// A frame (RFC 9114 7.1), with a length of four bytes.
Bytes frame(std::uint8_t type, const Bytes& content) {
    Bytes all{type, static_cast<std::uint8_t>(0x80 | content.size() >> 24),
              static_cast<std::uint8_t>(content.size() >> 16),
              static_cast<std::uint8_t>(content.size() >> 8),
              static_cast<std::uint8_t>(content.size())};
    all.insert(all.end(), content.begin(), content.end());
    return all;
}

using steer::test::put_qpack_literal;
using Fields = std::vector<std::pair<std::string, std::string>>;

// HEADERS of literals (RFC 9204 4.5.6).
Bytes head(const Fields& fields) {
    Bytes all{0, 0};
    for (const auto& [name, value] : fields)
        put_qpack_literal(all, name, value);
    return frame(1, all);
}

Bytes content(const Bytes& bytes) {
    return frame(0, bytes);
}

Bytes joined(std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& part : parts)
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

const Fields kGood{{":status", "200"}, {"content-type", "application/dns-message"}};

Fields with(const Fields& more) {
    Fields all = kGood;
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

struct Upstream final : ClientControl, ReplyTaker {
    QuicAccount memory;  // before what is charged
    Upstream() : client(Http3Client::make(*this, *this, {"dns.example", "/dns-query"})) {
        BOOST_REQUIRE(client != nullptr);
        // The server's control stream, with empty settings.
        BOOST_TEST(!client->opened(3));
        BOOST_TEST(!client->receive(3, {std::initializer_list<std::uint8_t>{0, 4, 0}}, false));
        client->ask(1, message());
        while (const auto output = client->next_output())
            client->sent(output->stream, output->bytes.size());
    }
    void consumed(std::uint64_t) override {}
    void consumed_of(StreamId, std::uint64_t) override {}
    void reset(StreamId, std::uint64_t code) override { resets.push_back(code); }
    void stop_reading(StreamId, std::uint64_t) override {}
    std::optional<StreamId> open_uni_stream() override { return std::exchange(uni, uni + 4); }
    std::optional<StreamId> open_stream() override { return std::exchange(next, next + 4); }
    void take_reply(std::uint64_t, AskEnd end, std::span<const std::uint8_t> bytes,
                    const AnswerFacts& its) override {
        ends.push_back(end);
        reply.assign(bytes.begin(), bytes.end());
        facts = its;
    }
    void takes_no_more() override { ++aways; }
    Account& account() override { return memory.account; }

    Application::Failure receive(const Bytes& bytes, bool is_end = true) {
        return client->receive(0, bytes, is_end);
    }
    [[nodiscard]] bool ended_with(AskEnd end) const { return ends == std::vector{end}; }

    StreamId next = 0, uni = 2;
    unsigned aways = 0;
    std::vector<std::uint64_t> resets;
    std::vector<AskEnd> ends;
    Bytes reply;
    AnswerFacts facts;
    std::unique_ptr<Http3Client> client;
};

BOOST_AUTO_TEST_CASE(ages_and_limits_of_an_answer_are_passed_on) {
    Upstream u;
    const Fields fields = with({{"age", "7"}, {"cache-control", "private, max-age=60"}});
    BOOST_TEST(!u.receive(joined({head(fields), content(message())})));
    BOOST_TEST(u.ended_with(AskEnd::answered));
    BOOST_TEST(u.reply == message());
    BOOST_TEST(u.facts.age_s == 7U);
    BOOST_TEST(u.facts.fresh_s == 53U);
}

BOOST_AUTO_TEST_CASE(interim_heads_and_trailers_do_not_count) {
    Upstream u;
    const Bytes all = joined({head({{":status", "103"}, {"content-type", "text/html"}}),
                              head(kGood), content(message()), head({{"age", "9"}})});
    for (std::size_t i = 0; i < all.size(); ++i)
        BOOST_TEST(!u.receive({all[i]}, i + 1 == all.size()));
    BOOST_TEST(u.ended_with(AskEnd::answered));
    BOOST_TEST(u.facts.age_s == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_no_dns_message_ends_its_query) {
    for (const Fields& fields :
         {Fields{{":status", "500"}, {"content-type", "application/dns-message"}},
          Fields{{":status", "200"}, {"content-type", "text/html"}}, Fields{{":status", "200"}}}) {
        Upstream u;
        BOOST_TEST(!u.receive(joined({head(fields), content(message())})));
        BOOST_TEST(u.ended_with(AskEnd::bad));
        BOOST_TEST(u.reply.empty());
    }
    Upstream empty;
    BOOST_TEST(!empty.receive(head(kGood)));
    BOOST_TEST(empty.ended_with(AskEnd::bad));
}

BOOST_AUTO_TEST_CASE(a_server_that_is_busy_says_how_long) {
    Upstream u;
    BOOST_TEST(!u.receive(head({{":status", "429"}, {"retry-after", "12"}})));
    BOOST_TEST(u.ended_with(AskEnd::bad));
    BOOST_TEST(u.facts.retry_after_s == 12U);
}

BOOST_AUTO_TEST_CASE(answers_have_limits) {
    Upstream content_u;
    BOOST_TEST(!content_u.receive(joined({head(kGood), content(Bytes(65'536))}), false));
    BOOST_TEST(content_u.ended_with(AskEnd::bad));
    BOOST_TEST(content_u.resets == std::vector{code_of(Http3Error::request_cancelled)});
    Upstream head_u;
    BOOST_TEST(!head_u.receive(head(with({{"x", std::string(Http3Client::kMostHead, 'a')}}))));
    BOOST_TEST(head_u.ended_with(AskEnd::bad));
}

BOOST_AUTO_TEST_CASE(a_response_that_is_not_whole_is_none) {
    Upstream cut;
    BOOST_TEST(!cut.receive(joined({head(kGood), content(message())}), false));
    BOOST_TEST(!cut.client->closed(0));
    BOOST_TEST(cut.ended_with(AskEnd::failed));
    Upstream rejected;
    BOOST_TEST(!rejected.client->cancelled(0, code_of(Http3Error::request_rejected)));
    BOOST_TEST(rejected.ended_with(AskEnd::unprocessed));
    Upstream failed;
    BOOST_TEST(!failed.client->cancelled(0, code_of(Http3Error::internal_error)));
    BOOST_TEST(failed.ended_with(AskEnd::failed));
    BOOST_TEST(!failed.client->closed(0));
    BOOST_TEST(failed.ends.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_malformed_response_ends_its_query) {
    for (const Fields& fields :
         {Fields{{"content-type", "x"}}, Fields{{":status", "20"}}, with({{"Upper", "x"}})}) {
        Upstream u;
        BOOST_TEST(!u.receive(joined({head(fields), content(message())})));
        BOOST_TEST(u.ended_with(AskEnd::bad));
        constexpr std::uint64_t kMessageError = 0x10e;  // RFC 9114 8.1
        BOOST_TEST(u.resets == std::vector{kMessageError});
    }
}

BOOST_AUTO_TEST_CASE(what_breaks_the_protocol_closes_the_connection) {
    const Bytes too_short = frame(1, {0});
    const Bytes cut = joined({head(with({{"content-length", "7"}})), content(message())});
    for (const Bytes& bytes : {content(message()), too_short, cut, frame(5, {0}), frame(4, {})}) {
        BOOST_TEST_CONTEXT("frame " << int{bytes[0]} << " of " << bytes.size()) {
            Upstream u;
            BOOST_TEST(u.receive(bytes).has_value());
        }
    }
    Upstream u;
    BOOST_TEST((u.client->opened(1) == code_of(Http3Error::stream_creation_error)));
    u.client->end(false);
    BOOST_TEST(u.ended_with(AskEnd::lost));
}

// RFC 8470 5.2.
BOOST_AUTO_TEST_CASE(a_query_that_is_too_early_was_not_processed) {
    Upstream u;
    BOOST_TEST(!u.receive(head({{":status", "425"}})));
    BOOST_TEST(u.ended_with(AskEnd::unprocessed));
}

BOOST_AUTO_TEST_CASE(
    queries_on_a_connection_that_ends_were_processed_only_if_they_were_sent_whole) {
    for (const bool was_refused : {false, true}) {
        Upstream u;
        u.client->ask(2, message());
        for (auto output = u.client->next_output(); output && !output->is_end;
             output = u.client->next_output())
            u.client->sent(output->stream, output->bytes.size());
        u.client->sent(4, 1);  // of more
        u.client->end(was_refused);
        BOOST_TEST((u.ends == std::vector{was_refused ? AskEnd::unprocessed : AskEnd::lost,
                                          AskEnd::unprocessed}));
    }
}

// RFC 9114 5.2: the first GOAWAY may announce the second.
BOOST_AUTO_TEST_CASE(queries_above_the_goaway_id_were_not_processed) {
    Upstream u;
    u.client->ask(2, message());
    u.client->ask(3, message());
    // 2^62 - 4: nothing is refused yet.
    const Bytes notice{7, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc};
    BOOST_TEST(!u.client->receive(3, notice, false));
    BOOST_TEST(u.ends.empty());
    BOOST_TEST(!u.client->receive(3, {std::initializer_list<std::uint8_t>{7, 1, 4}}, false));
    BOOST_TEST((u.ends == std::vector{AskEnd::unprocessed, AskEnd::unprocessed}));
    BOOST_TEST(u.resets.size() == 2U);
    BOOST_TEST(u.aways == 1U);
    BOOST_TEST(!u.receive(joined({head(kGood), content(message())})));
    BOOST_TEST((u.ends.back() == AskEnd::answered));
}

BOOST_AUTO_TEST_CASE(goaway_ends_new_queries) {
    Upstream u;
    BOOST_TEST(!u.client->receive(3, {std::initializer_list<std::uint8_t>{7, 1, 4}}, false));
    BOOST_TEST(u.aways == 1U);
    BOOST_TEST(!u.client->takes_asks());
    u.client->ask(2, message());
    BOOST_TEST(u.ended_with(AskEnd::unprocessed));
    BOOST_TEST(!u.receive(joined({head(kGood), content(message())})));
    BOOST_TEST((u.ends.back() == AskEnd::answered));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::quic::test
