// Clients of DNS over HTTP/3: their requests, and what ends them.
#include <boost/test/unit_test.hpp>

#include "control/streams/quic/http3_streams.h"
#include "control/streams/quic/server.h"
#include "http3_test_client.h"
#include "matchers/octets.h"
#include "support/qpack_literals.h"
#include "world.h"

namespace steer::quic::test {
namespace {

using steer::test::put_qpack_number;

const std::string kQueryInPath = "/dns-query?dns=AAABAAABAAAAAAAAB2V4YW1wbGUAAAEAAQ";

// An answer to message() with one A record, TTL 300.
Bytes response() {
    Bytes all = message();
    all[2] = 0x81;
    all[7] = 1;
    for (const int byte : {0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 192, 0, 2, 7})
        all.push_back(static_cast<std::uint8_t>(byte));
    return all;
}

// A world with one client whose handshake is complete.
struct Http3World {
    explicit Http3World(const config::ServerLimits& limits = {},
                        const HttpPaths& http = {{{"/dns-query"}, {"/other"}}, ""})
        : world(http, limits), client(world.connected({.alpn = "h3"})), http3(client) {
        run();
    }
    void run() {
        for (unsigned i = 0; i < 4; ++i) {
            http3.turn();
            world.run();
        }
        http3.turn();
    }
    const Http3TestClient::Answer& answer_to(std::int64_t stream) {
        run();
        return http3.answers[stream];
    }
    std::string status_of(std::int64_t stream) {
        return answer_to(stream).fields.contains(":status") ? answer_to(stream).fields.at(":status")
                                                            : "none";
    }
    void check_closed(Http3Error code) const {
        BOOST_TEST_REQUIRE(client.end.has_value());
        BOOST_TEST(client.end->type == NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION);
        BOOST_TEST(client.end->error_code == code_of(code));
    }
    [[nodiscard]] std::uint64_t get(QuicCount which) { return world.get(which); }

    World world;
    Client& client;
    Http3TestClient http3;
};

BOOST_AUTO_TEST_SUITE(http3)

BOOST_AUTO_TEST_CASE(a_query_in_the_path_is_answered) {
    Http3World w;
    const auto stream = w.http3.get(kQueryInPath);
    w.run();
    BOOST_REQUIRE_EQUAL(w.world.passed.size(), 1U);
    BOOST_TEST(w.world.passed[0].message == message());
    BOOST_TEST(w.world.passed[0].path == 0U);
    w.world.answer(w.world.passed[0], response());
    const auto& answer = w.answer_to(stream);
    BOOST_TEST(answer.fields.at(":status") == "200");
    BOOST_TEST(answer.fields.at("content-type") == "application/dns-message");
    BOOST_TEST(answer.fields.at("cache-control") == "private, max-age=300");
    BOOST_TEST(answer.content == response());
    BOOST_TEST(answer.is_ended);
    BOOST_TEST(w.get(QuicCount::http_requests) == 1U);
    BOOST_TEST(w.get(QuicCount::answers) == 1U);
}

BOOST_AUTO_TEST_CASE(a_path_with_json_answers_as_json) {
    Http3World w({}, {{{"/dns-query"}, {"/resolve", true}}, ""});
    BOOST_TEST(w.status_of(w.http3.get("/dns-query?name=example")) == "400");
    const auto stream = w.http3.get("/resolve?name=example&type=A");
    w.run();
    BOOST_REQUIRE_EQUAL(w.world.passed.size(), 1U);
    BOOST_TEST(w.world.passed[0].path == 1U);
    w.world.answer(w.world.passed[0], response());
    const auto& answer = w.answer_to(stream);
    BOOST_TEST(answer.fields.at("content-type") == "application/dns-json");
    BOOST_TEST(answer.fields.at("cache-control") == "private, max-age=300");
    BOOST_TEST(chars_of(answer.content).find("192.0.2.7") != std::string_view::npos);
    const auto wrong = w.http3.get("/resolve?name=example&type=NOTYPE");
    BOOST_TEST(w.status_of(wrong) == "400");
}

BOOST_AUTO_TEST_CASE(a_query_as_content_is_answered_at_its_path) {
    Http3World w;
    const auto stream = w.http3.post("/other", message());
    w.run();
    BOOST_REQUIRE_EQUAL(w.world.passed.size(), 1U);
    BOOST_TEST(w.world.passed[0].path == 1U);
    w.world.answer(w.world.passed[0], response());
    BOOST_TEST(w.answer_to(stream).content == response());
}

BOOST_AUTO_TEST_CASE(many_requests_are_answered_in_any_order) {
    config::ServerLimits limits;
    limits.max_queries = 10;
    Http3World w(limits);
    std::vector<std::int64_t> streams;
    for (unsigned round = 0; round < 30; ++round) {
        w.world.passed.clear();
        streams.clear();
        for (unsigned i = 0; i < 10; ++i)
            streams.push_back(w.http3.post("/dns-query", message()));
        w.run();
        BOOST_REQUIRE_EQUAL(w.world.passed.size(), 10U);
        for (std::size_t i = 10; i-- > 0;) {
            Bytes longer = response();
            longer.resize(longer.size() + i * 2'000);
            w.world.answer(w.world.passed[i], longer);
        }
        w.run();
        for (std::size_t i = 0; i < 10; ++i)
            BOOST_TEST(w.http3.answers[streams[i]].content.size() == response().size() + i * 2'000);
    }
    BOOST_TEST(!w.client.end.has_value());
}

BOOST_AUTO_TEST_CASE(a_head_request_gets_no_content) {
    Http3World w;
    const auto stream = w.http3.request({{":method", "HEAD"},
                                         {":scheme", "https"},
                                         {":authority", "dns.example"},
                                         {":path", kQueryInPath}});
    w.run();
    BOOST_REQUIRE_EQUAL(w.world.passed.size(), 1U);
    w.world.answer(w.world.passed[0], response());
    const auto& answer = w.answer_to(stream);
    BOOST_TEST(answer.fields.at("content-length") == std::to_string(response().size()));
    BOOST_TEST(answer.content.empty());
    BOOST_TEST(answer.is_ended);
}

BOOST_AUTO_TEST_CASE(requests_that_are_no_query_are_refused) {
    Http3World w;
    const std::vector<std::pair<std::int64_t, std::string>> all{
        {w.http3.get("/else?dns=AAAB"), "404"},
        {w.http3.get("/dns-query"), "400"},
        {w.http3.get("/dns-query?dns=AAAB"), "400"},
        {w.http3.get("/dns-query?dns=====" + std::string(16, '=')), "400"},
        {w.http3.post("/dns-query", message(), "text/plain"), "415"},
        {w.http3.post("/dns-query", Bytes(5'000)), "413"},
        {w.http3.post("/dns-query", Bytes(3)), "400"},
        {w.http3.request({{":method", "PUT"},
                          {":scheme", "https"},
                          {":authority", "dns.example"},
                          {":path", "/dns-query"}}),
         "405"},
        {w.http3.request({{":method", "GET"},
                          {":scheme", "https"},
                          {":authority", "dns.example"},
                          {":path", kQueryInPath},
                          {"x-much", std::string(8'200, 'a')}}),
         "431"}};
    w.run();
    for (const auto& [stream, status] : all)
        BOOST_TEST(w.status_of(stream) == status);
    BOOST_TEST(w.world.passed.empty());
    BOOST_TEST(w.get(QuicCount::http_refused) == all.size());
    BOOST_TEST(!w.client.end.has_value());
}

// A content that is not announced: refused as soon as it is too long, before its end.
BOOST_AUTO_TEST_CASE(a_content_without_end_is_refused) {
    Http3World w;
    const auto stream = w.http3.request({{":method", "POST"},
                                         {":scheme", "https"},
                                         {":authority", "dns.example"},
                                         {":path", "/dns-query"},
                                         {"content-type", "application/dns-message"}},
                                        Bytes(100'000), false);
    BOOST_TEST(w.status_of(stream) == "413");
    BOOST_TEST(w.world.passed.empty());
    BOOST_TEST(!w.client.end.has_value());
}

BOOST_AUTO_TEST_CASE(queries_without_an_answer_get_a_status) {
    Http3World w;
    const std::vector<std::pair<QueryEnd, std::string>> all{{QueryEnd::unanswered, "503"},
                                                            {QueryEnd::over_limit, "429"},
                                                            {QueryEnd::bad_client, "400"}};
    for (const auto& [end, status] : all) {
        w.world.passed.clear();
        const auto stream = w.http3.get(kQueryInPath);
        w.run();
        BOOST_REQUIRE_EQUAL(w.world.passed.size(), 1U);
        w.world.answer(w.world.passed[0], {}, end);
        BOOST_TEST(w.status_of(stream) == status);
    }
    w.world.has_room = false;
    BOOST_TEST(w.status_of(w.http3.get(kQueryInPath)) == "503");
}

// The answer was lost between the processes.
BOOST_AUTO_TEST_CASE(a_query_that_is_never_answered_gets_a_status) {
    config::ServerLimits limits;
    limits.idle_timeout = std::chrono::minutes(1);
    Http3World w(limits);
    const auto stream = w.http3.get(kQueryInPath);
    w.run();
    w.world.now += ClientStreams::kAnswerMs * kMillisecond;
    w.world.pass(1'100);
    BOOST_TEST(w.status_of(stream) == "503");
}

BOOST_AUTO_TEST_CASE(a_trusted_header_is_passed_on) {
    Http3World w({}, {{{"/dns-query"}}, "x-forwarded-for"});
    const auto stream = w.http3.request({{":method", "GET"},
                                         {":scheme", "https"},
                                         {":authority", "dns.example"},
                                         {":path", kQueryInPath},
                                         {"x-forwarded-for", "203.0.113.9"},
                                         {"x-forwarded-for", "192.0.2.4"}});
    w.run();
    BOOST_REQUIRE_EQUAL(w.world.passed.size(), 1U);
    BOOST_TEST(w.world.passed[0].forwarded_for == "203.0.113.9,192.0.2.4");
    BOOST_TEST(stream == 0);
}

BOOST_AUTO_TEST_CASE(a_client_that_resets_all_its_requests_is_closed) {
    Http3World w;
    for (unsigned i = 0; i < ClientStreams::kMostResets + 50 && !w.client.end; ++i) {
        const auto stream = w.http3.get(kQueryInPath);
        w.run();
        w.client.reset(stream, code_of(Http3Error::request_cancelled));
        w.run();
    }
    w.check_closed(Http3Error::excessive_load);
    BOOST_TEST(w.get(QuicCount::floods) == 1U);
    BOOST_TEST(w.get(QuicCount::resets_received) == ClientStreams::kMostResets + 1U);
}

BOOST_AUTO_TEST_CASE(streams_that_are_reset_before_their_request_count) {
    Http3World w;
    for (unsigned i = 0; i < ClientStreams::kMostResets + 50 && !w.client.end; ++i) {
        const auto stream = w.client.send({1}, false);
        w.run();
        w.client.reset(stream, code_of(Http3Error::request_cancelled));
        w.run();
    }
    w.check_closed(Http3Error::excessive_load);
    BOOST_TEST(w.get(QuicCount::resets_received) == ClientStreams::kMostResets + 1U);
}

BOOST_AUTO_TEST_CASE(a_stream_without_its_request_has_its_time) {
    config::ServerLimits limits;
    limits.idle_timeout = std::chrono::minutes(1);
    Http3World w(limits);
    w.client.send({1}, false);
    w.run();
    w.world.pass(8'000);
    BOOST_TEST(!w.client.end.has_value());
    w.world.pass(4'000);
    w.check_closed(Http3Error::general_protocol_error);
    BOOST_TEST(w.get(QuicCount::too_slow) == 1U);
}

BOOST_AUTO_TEST_CASE(a_malformed_request_resets_its_stream_and_many_close_the_connection) {
    constexpr std::uint64_t kMessageError = 0x10e;  // RFC 9114 8.1
    Http3World w;
    const auto malformed = [&w] {
        return w.http3.request({{":method", "GET"}, {":scheme", "https"}}, {}, true);
    };
    const auto stream = malformed();
    w.run();
    BOOST_TEST((w.client.streams[stream].reset == kMessageError));
    const auto good = w.http3.get(kQueryInPath);
    w.run();
    BOOST_REQUIRE_EQUAL(w.world.passed.size(), 1U);
    w.world.answer(w.world.passed[0], response());
    BOOST_TEST(w.status_of(good) == "200");
    for (unsigned i = 0; i < ClientStreams::kMostResets + 50 && !w.client.end; ++i) {
        malformed();
        w.run();
    }
    w.check_closed(Http3Error::excessive_load);
    BOOST_TEST(w.get(QuicCount::floods) == 1U);
}

BOOST_AUTO_TEST_CASE(frames_without_a_request_have_a_budget) {
    Http3World w;
    const auto stream = w.client.open_uni_stream();
    w.client.more(stream, {0x21}, false);  // a reserved type
    for (unsigned i = 0; i < 100 && !w.client.end; ++i) {
        w.client.more(stream, Bytes(1'000), false);
        w.world.run();
    }
    w.check_closed(Http3Error::excessive_load);
    BOOST_TEST(w.get(QuicCount::floods) == 1U);
}

// RFC 9114 6.2.1: its control stream may not end.
BOOST_AUTO_TEST_CASE(rules_of_http3_are_kept) {
    constexpr std::uint64_t kClosedCriticalStream = 0x104, kFrameUnexpected = 0x105,
                            kMissingSettings = 0x10a, kStreamCreation = 0x103,
                            kEncoderStream = 0x201, kDecompression = 0x200;
    const auto code_after = [](const auto& what) {
        World world(HttpPaths{{{"/dns-query"}}, ""});
        Client& client = world.connected({.alpn = "h3"});
        what(client);
        world.run();
        BOOST_REQUIRE(client.end.has_value());
        BOOST_TEST(world.get(QuicCount::protocol_errors) == 1U);
        return client.end->error_code;
    };
    BOOST_TEST(code_after([](Client& c) {
                   c.more(c.open_uni_stream(), {0, 4, 0}, true);
               }) == kClosedCriticalStream);
    BOOST_TEST(code_after([](Client& c) {
                   c.more(c.open_uni_stream(), {0, 0, 1, 1}, false);
               }) == kMissingSettings);
    BOOST_TEST(code_after([](Client& c) { (void)c.send({0, 1, 1}); }) == kFrameUnexpected);
    BOOST_TEST(code_after([](Client& c) {
                   c.more(c.open_uni_stream(), {1, 0}, false);
               }) == kStreamCreation);  // a push
    // The server offers no table of QPACK: nothing may be put into one, or be taken out.
    Bytes table{2};
    put_qpack_number(table, 0x20, 31, 1U << 30);  // its size
    BOOST_TEST(code_after([&](Client& c) { c.more(c.open_uni_stream(), table, false); }) ==
               kEncoderStream);
    Bytes entry{2};
    put_qpack_number(entry, 0x40, 31, 1);
    entry.insert(entry.end(), {'a', 1, 'b'});
    BOOST_TEST(code_after([&](Client& c) { c.more(c.open_uni_stream(), entry, false); }) ==
               kEncoderStream);
    BOOST_TEST(code_after([](Client& c) { (void)c.send({1, 3, 2, 0, 0x80}); }) == kDecompression);
}

BOOST_AUTO_TEST_CASE(a_draining_server_sends_clients_away) {
    Http3World w;
    const auto stream = w.http3.get(kQueryInPath);
    w.run();
    w.world.server->set_draining(true);
    BOOST_REQUIRE_EQUAL(w.world.passed.size(), 1U);
    w.world.pass(1'500);
    BOOST_TEST(!w.client.end.has_value());
    w.world.answer(w.world.passed[0], response());
    BOOST_TEST(w.answer_to(stream).content == response());
    BOOST_TEST(w.http3.is_sent_away);
    w.world.pass(1'500);
    w.check_closed(Http3Error::no_error);
}

BOOST_AUTO_TEST_CASE(the_other_protocol_is_not_spoken) {
    World world(HttpPaths{{{"/dns-query"}}, ""});
    const Client& client = world.connected({.alpn = "doq"});
    BOOST_TEST(!client.is_complete);
    BOOST_TEST(world.get(QuicCount::handshakes) == 0U);
}

BOOST_AUTO_TEST_CASE(connections_are_counted_by_protocol) {
    Http3World w;
    const auto of = [&](config::ServerProtocol protocol) {
        return w.world.server->open_by_protocol()[static_cast<std::size_t>(protocol)];
    };
    BOOST_TEST(of(config::ServerProtocol::http3) == 1U);
    BOOST_TEST(of(config::ServerProtocol::doq) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::quic::test
