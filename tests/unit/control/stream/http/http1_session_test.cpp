// DNS over HTTP/1.1: requests and what each gets, keep-alive and pipelining, limits, who the client is.
#include <array>
#include <boost/test/unit_test.hpp>

#include "control/streams/http/http1_session.h"
#include "http/http_peer.h"

using namespace steer;
using namespace steer::test;
using namespace std::chrono_literals;
using stream::Transport;

namespace {

stream::Service http_service() {
    stream::Service service;
    service.protocol = config::ServerProtocol::http;
    service.limits.idle_timeout = 30s;
    service.http.paths = {{"/dns-query"}, {"/second"}, {"/json", true}};
    return service;
}

// A client on a connection of its own, and its world.
struct Http1 {
    StreamWorld w;
    Peer peer;

    explicit Http1(stream::Service service = http_service())
        : peer(Peer::connected(Transport::tcp, address("127.0.0.1"),
                               w.listen_tcp(std::move(service)))) {}

    void send(std::string_view text) {
        BOOST_REQUIRE(w.until([&] { return peer.send(bytes_of_text(text)); }));
    }
    void post(const Bytes& query, std::string_view more = "") {
        const std::string head = "POST /dns-query HTTP/1.1\r\nHost: dns\r\n" + std::string(more) +
                                 "Content-Type: application/dns-message\r\nContent-Length: " +
                                 std::to_string(query.size()) + "\r\n\r\n";
        send(head + std::string(query.begin(), query.end()));
    }
    // Until a whole response is there; which is taken.
    HttpResponse response(bool has_content = true) {
        HttpResponse r;
        const bool received = w.until([&] {
            peer.receive();
            return take(r, has_content);
        });
        BOOST_REQUIRE(received);
        return r;
    }
    bool ends() {
        return w.until([&] { return !peer.receive(); });
    }

  private:
    bool take(HttpResponse& r, bool has_content) {
        const std::string all(peer.in.begin(), peer.in.end());
        auto end = all.find("\r\n\r\n");
        if (end == std::string::npos) return false;
        r = {};
        r.status = std::stoi(all.substr(9, 3));
        for (auto at = all.find("\r\n") + 2; at < end;) {
            const auto line_end = all.find("\r\n", at);
            const auto colon = all.find(": ", at);
            r.fields[all.substr(at, colon - at)] = all.substr(colon + 2, line_end - colon - 2);
            at = line_end + 2;
        }
        end += 4;
        const std::size_t length =
            has_content && r.status != 100 ? std::stoul(r.fields["content-length"]) : 0;
        if (all.size() < end + length) return false;
        const auto begin = peer.in.begin() + static_cast<std::ptrdiff_t>(end);
        r.content.assign(begin, begin + static_cast<std::ptrdiff_t>(length));
        peer.in.erase(peer.in.begin(), begin + static_cast<std::ptrdiff_t>(length));
        return true;
    }
};

constexpr std::string_view kGet =
    "GET /dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB HTTP/1.1\r\nHost: dns\r\n\r\n";

const std::string kJson =
    R"({"Status":0,"TC":false,"RD":true,"RA":false,"AD":false,"CD":false,)"
    R"("Question":[{"name":"www.example.com.","type":1}],)"
    R"("Answer":[{"name":"www.example.com.","type":1,"TTL":300,"data":"192.0.2.1"}]})"
    "\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_http1)

BOOST_AUTO_TEST_CASE(a_query_carries_its_path_and_frontend) {
    stream::Service service = http_service();
    service.http.frontends = {7, 8};
    Http1 c(std::move(service));
    std::string second(kGet);
    second.replace(second.find("/dns-query"), 10, "/second");
    for (const auto& [text, path, frontend] :
         {std::tuple(std::string(kGet), "/dns-query", 7), std::tuple(second, "/second", 8)}) {
        c.send(text);
        BOOST_REQUIRE(c.w.until([&] { return c.w.queries.size() == 1; }));
        BOOST_TEST(c.w.queries[0].query == make_query(0, "www.example.com"));
        BOOST_TEST(c.w.queries[0].url_path == path);
        BOOST_TEST(c.w.queries[0].server_name.empty());
        BOOST_TEST(c.w.queries[0].header.frontend == frontend);
        c.w.answer(c.w.queries[0], make_response(c.w.queries[0].query, 1));
        BOOST_TEST(c.response().status == 200);
        c.w.queries.clear();
    }
}

BOOST_AUTO_TEST_CASE(a_get_is_answered) {
    Http1 c;
    c.send(kGet);
    BOOST_REQUIRE(c.w.until([&] { return c.w.queries.size() == 1; }));
    BOOST_TEST(c.w.queries[0].query == make_query(0, "www.example.com"));
    BOOST_TEST(c.w.queries[0].header.max_size == 65535);
    BOOST_TEST(c.w.queries[0].header.client_port == c.peer.port());
    const Bytes answer = make_response(c.w.queries[0].query, 3);
    c.w.answer(c.w.queries[0], answer);
    auto r = c.response();
    BOOST_TEST(r.status == 200);
    BOOST_TEST(r.content == answer);
    BOOST_TEST(r.fields["content-type"] == "application/dns-message");
    BOOST_TEST(r.fields["cache-control"] == "private, max-age=300");
    BOOST_TEST(r.fields["date"].ends_with(" GMT"));
    BOOST_TEST(c.w.count(StreamCount::http_requests) == 1U);
    BOOST_TEST(c.w.count(StreamCount::http_answers) == 1U);
}

// A refused one in between leaves the connection open.
BOOST_AUTO_TEST_CASE(a_json_query_is_answered_in_json) {
    Http1 c;
    for (const std::string method : {"GET", "HEAD"}) {
        c.send(method + " /json?name=www.example.com HTTP/1.1\r\nHost: dns\r\n\r\n");
        BOOST_REQUIRE(c.w.until([&] { return c.w.queries.size() == 1; }));
        BOOST_TEST(c.w.queries[0].url_path == "/json");
        c.w.answer(c.w.queries[0], make_response(make_query(0, "www.example.com"), 1));
        c.w.queries.clear();
        auto r = c.response(method == "GET");
        BOOST_TEST(r.status == 200);
        BOOST_TEST(r.fields["content-type"] == "application/dns-json");
        BOOST_TEST(r.fields["cache-control"] == "private, max-age=300");
        BOOST_TEST(r.fields["content-length"] == std::to_string(kJson.size()));
        BOOST_TEST(r.text() == (method == "GET" ? kJson : ""));
        c.send("GET /json?name=a..b HTTP/1.1\r\nHost: dns\r\n\r\n");
        r = c.response();
        BOOST_TEST(r.status == 400);
        BOOST_TEST(r.fields["content-type"] == "text/plain");
        BOOST_TEST(r.text().starts_with("Expected 'name'"));
    }
    c.send(kGet);  // the next request has its own form
    BOOST_REQUIRE(c.w.until([&] { return c.w.queries.size() == 1; }));
    c.w.answer(c.w.queries[0], make_response(c.w.queries[0].query, 1));
    BOOST_TEST(c.response().fields["content-type"] == "application/dns-message");
    BOOST_TEST(c.w.count(StreamCount::http_refused) == 2U);
    BOOST_TEST(c.w.thread->connections() == 1U);
}

BOOST_AUTO_TEST_CASE(posts_on_one_connection_may_come_byte_by_byte) {
    Http1 c;
    c.w.answer_all = true;
    for (std::uint16_t id = 0; id < 3; ++id) {
        const Bytes query = make_query(id, "n.example");
        std::string request =
            "POST /dns-query HTTP/1.1\r\nhost: dns\r\ncontent-type: "
            "application/dns-message\r\ncontent-length: " +
            std::to_string(query.size()) + "\r\n\r\n";
        request.append(query.begin(), query.end());
        for (const char byte : request) {
            c.send({&byte, 1});
            c.w.turn();
        }
        BOOST_TEST(c.response().content == make_response(query, 1));
    }
    BOOST_TEST(c.w.thread->connections() == 1U);
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
    Http1 c;
    std::string all;
    for (int i = 0; i < 4; ++i)
        all += kGet;
    c.send(all);
    for (std::size_t i = 0; i < 4; ++i) {
        BOOST_REQUIRE(c.w.until([&] { return c.w.queries.size() == i + 1; }));
        for (int turn = 0; turn < 3; ++turn)
            c.w.turn();
        BOOST_TEST(c.w.queries.size() == i + 1);  // one at a time
        c.w.answer(c.w.queries[i], make_response(c.w.queries[i].query, static_cast<unsigned>(i)));
        BOOST_TEST(c.response().content ==
                   make_response(c.w.queries[i].query, static_cast<unsigned>(i)));
    }
}

// In memory: the parser is asked again between any two bytes, with what it was shown before.
BOOST_AUTO_TEST_CASE(chunks_may_come_in_any_pieces) {
    struct Queries final : stream::HttpQueryTaker {
        std::vector<Bytes> all;
        void take_query(std::uint32_t, std::size_t, std::span<const std::uint8_t> message,
                        std::string_view) override {
            all.emplace_back(message.begin(), message.end());
        }
    };
    const Bytes query = make_query(0, "www.example.com");
    const std::string head =
        "POST /dns-query HTTP/1.1\r\nHost: dns\r\nContent-Type: application/dns-message\r\n"
        "Transfer-Encoding: chunked\r\n\r\n";
    const std::string chunk = "21\r\n" + std::string(query.begin(), query.end()) + "\r\n";
    BOOST_REQUIRE_EQUAL(query.size(), 0x21U);
    for (const auto& [text, queries] :
         {std::pair(head + chunk + "0\r\n\r\n", 1U), std::pair(head + "0\r\n\r\n", 0U),
          std::pair(head + chunk + "0\r\nTrailer: x\r\n\r\n", 1U)}) {
        const stream::HttpSite site{{{"/dns-query"}}, ""};
        StreamCounters counters;
        Queries taker;
        stream::Http1Session session(site, taker, counters);
        std::string output;
        for (const char c : text) {
            const std::array piece{static_cast<std::uint8_t>(c)};
            session.receive(piece, 0);
            const auto out = session.next_output();
            output.append(out.begin(), out.end());
        }
        BOOST_REQUIRE_EQUAL(taker.all.size(), queries);
        if (queries == 1) {
            BOOST_TEST(taker.all[0] == query);
            BOOST_TEST(output.empty());
        } else {
            BOOST_TEST(output.starts_with("HTTP/1.1 400 "));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_chunked_post_is_answered) {
    Http1 c;
    c.w.answer_all = true;
    const Bytes query = make_query(0, "n.example");
    c.send(
        "POST /second HTTP/1.1\r\nHost: dns\r\nContent-Type: application/dns-message\r\n"
        "Transfer-Encoding: chunked\r\n\r\n5\r\n" +
        std::string(query.begin(), query.begin() + 5) + "\r\n16\r\n" +
        std::string(query.begin() + 5, query.end()) + "\r\n0\r\n\r\n");
    BOOST_REQUIRE(query.size() == 5 + 0x16);
    BOOST_TEST(c.response().status == 200);
    BOOST_TEST(c.w.queries[0].query == query);
}

BOOST_AUTO_TEST_CASE(expect_100_continue_gets_a_100_or_the_final_status) {
    Http1 c;
    c.w.answer_all = true;
    const Bytes query = make_query(0, "n.example");
    c.send(
        "POST /dns-query HTTP/1.1\r\nHost: dns\r\nContent-Type: application/dns-message\r\n"
        "Expect: 100-Continue\r\nContent-Length: " +
        std::to_string(query.size()) + "\r\n\r\n");
    BOOST_TEST(c.response().status == 100);
    c.send({reinterpret_cast<const char*>(query.data()), query.size()});
    BOOST_TEST(c.response().status == 200);
    // a request that would be refused gets that status instead
    c.send(
        "POST /nowhere HTTP/1.1\r\nHost: dns\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
    BOOST_TEST(c.response().status == 404);
    BOOST_TEST(c.ends());
}

BOOST_AUTO_TEST_CASE(a_head_is_a_get_without_content) {
    Http1 c;
    c.w.answer_all = true;
    std::string request(kGet);
    request.replace(0, 3, "HEAD");
    c.send(request);
    auto r = c.response(false);
    BOOST_TEST(r.status == 200);
    BOOST_TEST(r.fields["content-length"] ==
               std::to_string(make_response(c.w.queries[0].query, 1).size()));
    c.send(kGet);
    BOOST_TEST(c.response().status == 200);
}

// What leaves the connection in order keeps it open; what does not ends it.
BOOST_AUTO_TEST_CASE(invalid_requests_get_their_status) {
    const std::string get = "GET /dns-query?dns=AAAB HTTP/1.1\r\n";
    const std::string post = "POST /dns-query HTTP/1.1\r\nHost: dns\r\n";
    const std::string dns_type = "Content-Type: application/dns-message\r\n";
    const struct {
        std::string request;
        int status;
        bool stays;
    } kCases[] = {
        {get + "Host: dns\r\n\r\n", 400, true},
        {get + "\r\n", 400, true},  // RFC 9112 3.2: no Host
        {get + "Host: a\r\nHost: b\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\nHost: dns\r\n\r\n", 404, true},
        {"DELETE /dns-query HTTP/1.1\r\nHost: dns\r\n\r\n", 405, true},
        {post + dns_type + "\r\n", 411, true},
        {post + dns_type + "Content-Length: 4097\r\n\r\n", 413, false},
        {post + dns_type + "Content-Length: 0\r\n\r\n", 400, true},
        {post + dns_type + "Content-Length: 3\r\n\r\nabc", 400, true},
        {post + dns_type + "Content-Length: x\r\n\r\n", 400, false},
        {post + dns_type + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400, false},
        {post + dns_type + "Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\nabc", 400,
         false},
        {post + dns_type + "Transfer-Encoding: gzip, chunked\r\n\r\n", 400, false},
        {post + dns_type + "Transfer-Encoding: chunked, gzip\r\n\r\n", 400, false},
        {"POST /dns-query HTTP/1.0\r\n" + dns_type + "Transfer-Encoding: chunked\r\n\r\n", 400,
         false},
        {post + dns_type + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 415, false},
        {post + "Content-Length: 3\r\n\r\nabc", 415, false},
        {"GET /" + std::string(9000, 'a'), 414, false},
        {"GET / HTTP/1.1\r\nA: " + std::string(9000, 'a'), 431, false},
        {"GET / HTTP/3.0\r\nHost: dns\r\n\r\n", 505, false},
        {"\x16\x03\x01\x02\x01\x01", 0, false},
        {"nonsense\r\n\r\n", 400, false},
    };
    for (const auto& [request, status, stays] : kCases) {
        BOOST_TEST_CONTEXT(request.substr(0, 120)) {
            Http1 c;
            c.w.answer_all = true;
            c.send(request);
            if (status == 0) {
                c.peer.shut_down_sending();
                BOOST_TEST(c.ends());
                continue;
            }
            auto r = c.response();
            BOOST_TEST(r.status == status);
            BOOST_TEST(r.fields["cache-control"] == "no-store");
            BOOST_TEST((r.fields["connection"] == "close") == !stays);
            if (status == 405) BOOST_TEST(r.fields["allow"] == "GET, HEAD, POST");
            BOOST_TEST(c.w.count(StreamCount::http_refused) == 1U);
            BOOST_TEST(c.w.queries.empty());
            if (stays) {
                c.send(kGet);
                BOOST_TEST(c.response().status == 200);
            } else {
                BOOST_TEST(c.ends());
                c.peer.shut_down_sending();
                BOOST_TEST(c.w.until([&] { return c.w.thread->connections() == 0; }));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_dropped_query_is_unavailable) {
    Http1 c;
    c.send(kGet);
    BOOST_REQUIRE(c.w.until([&] { return c.w.queries.size() == 1; }));
    c.w.drop(c.w.queries[0]);
    auto r = c.response();
    BOOST_TEST(r.status == 503);
    BOOST_TEST(r.fields["cache-control"] == "no-store");
    BOOST_TEST(c.w.count(StreamCount::http_unanswered) == 1U);
    c.send(kGet);  // and the connection goes on
    BOOST_TEST(c.w.until([&] { return c.w.queries.size() == 2; }));
}

BOOST_AUTO_TEST_CASE(a_query_refused_by_policy_gets_a_dns_answer) {
    Http1 c;
    c.send(kGet);
    BOOST_REQUIRE(c.w.until([&] { return c.w.queries.size() == 1; }));
    Bytes refused = make_response(c.w.queries[0].query, 0);
    refused[3] = 5;
    c.w.answer(c.w.queries[0], refused);
    auto r = c.response();
    BOOST_TEST(r.status == 200);
    BOOST_TEST(r.content == refused);
    BOOST_TEST(r.fields["cache-control"] == "no-store");
}

BOOST_AUTO_TEST_CASE(a_slow_request_is_ended_at_its_time_limit) {
    Http1 c;
    c.send("GET /dns-query?dns=");
    c.w.turn();
    c.w.pass(9s);
    c.send("A");
    for (int i = 0; i < 5; ++i)
        c.w.turn();
    BOOST_TEST(c.w.count(StreamCount::http_too_slow) == 0U);
    c.w.pass(2s);
    c.send("A");
    BOOST_TEST(c.response().status == 408);
    BOOST_TEST(c.ends());
    BOOST_TEST(c.w.count(StreamCount::http_too_slow) == 1U);
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_closed) {
    Http1 c;
    c.w.answer_all = true;
    c.send(kGet);
    c.response();
    c.send("GET /dns");  // is not a request yet
    for (int i = 0; i < 5; ++i)
        c.w.turn();
    c.w.pass(31s);
    BOOST_TEST(c.ends());
    BOOST_TEST(c.w.count(StreamCount::tcp_idle) == 1U);
    BOOST_TEST(c.w.thread->connections() == 0U);
}

BOOST_AUTO_TEST_CASE(connection_close_is_obeyed) {
    Http1 c;
    c.w.answer_all = true;
    c.send(
        "GET /dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB HTTP/1.1\r\n"
        "Host: dns\r\nConnection: close\r\n\r\n");
    BOOST_TEST(c.response().fields["connection"] == "close");
    BOOST_TEST(c.ends());
}

BOOST_AUTO_TEST_CASE(a_client_that_closed_its_side_still_gets_the_answer) {
    Http1 c;
    c.send(kGet);
    c.peer.shut_down_sending();
    BOOST_REQUIRE(c.w.until([&] { return c.w.queries.size() == 1; }));
    for (int i = 0; i < 5; ++i)
        c.w.turn();
    c.w.answer(c.w.queries[0], make_response(c.w.queries[0].query, 1));
    BOOST_TEST(c.response().status == 200);
    BOOST_TEST(c.ends());
    BOOST_TEST(c.w.thread->connections() == 0U);
}

// ---- who the client is

stream::Service proxied(std::string_view trusted = "") {
    auto service = http_service();
    service.http.client_header = "x-forwarded-for";
    if (!trusted.empty())
        service.http.trusted =
            matchers::PrefixSet({matchers::Prefix::masked(address(trusted), 128)});
    return service;
}

BOOST_AUTO_TEST_CASE(a_trusted_proxy_names_the_client) {
    Http1 c(proxied("192.0.2.9"));
    c.w.answer_all = true;
    const Bytes query = make_query(0, "n.example");
    const struct {
        std::string fields, client;
    } kCases[] = {
        {"X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"},
        {"x-forwarded-for: 10.0.0.1, 203.0.113.7\r\n", "203.0.113.7"},  // the first is hearsay
        {"X-Forwarded-For: 203.0.113.7, 192.0.2.9, 127.0.0.1\r\n", "203.0.113.7"},
        {"X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"},
        {"X-Forwarded-For: [2001:db8::7]:4711\r\n", "2001:db8::7"},
        {"X-Forwarded-For: 2001:db8::7\r\n", "2001:db8::7"},
        {"X-Forwarded-For: 203.0.113.7:4711\r\n", "203.0.113.7"},
        {"X-Forwarded-For: 192.0.2.9\r\n", "192.0.2.9"},
        {"", "127.0.0.1"},
    };
    for (const auto& [fields, client] : kCases) {
        c.post(query, fields);
        BOOST_TEST(c.response().status == 200);
        BOOST_TEST(c.w.queries.back().header.client.to_string() == client, fields);
    }
    for (const char* bad :
         {"unknown", "203.0.113.7,", "203.0.113", "[2001:db8::7", "a, 192.0.2.9"}) {
        c.post(query, "X-Forwarded-For: " + std::string(bad) + "\r\n");
        BOOST_TEST(c.response().status == 400, bad);
    }
    BOOST_TEST(c.w.count(StreamCount::http_bad_client) == 5U);
}

BOOST_AUTO_TEST_CASE(a_trusted_proxy_is_exempt_from_the_client_limit) {
    for (const bool trusted : {true, false}) {
        StreamWorld w;
        auto service = trusted ? proxied() : http_service();
        service.limits.max_connections_per_client = 2;
        const auto port = w.listen_tcp(std::move(service));
        std::vector<Peer> peers;
        for (int i = 0; i < 5; ++i)
            peers.push_back(Peer::connected(Transport::tcp, address("127.0.0.1"), port));
        BOOST_TEST(w.until([&] {
            return w.thread->connections() + w.count(StreamCount::tcp_over_client_limit) == 5;
        }));
        BOOST_TEST(w.count(StreamCount::tcp_over_client_limit) == (trusted ? 0U : 3U));
        peers.clear();
        BOOST_TEST(w.until([&] { return w.thread->connections() == 0; }));
    }
}

BOOST_AUTO_TEST_CASE(an_answer_is_padded_when_the_query_asks) {
    Http1 c;
    Bytes query = make_query(0, "n.example");
    query[11] = 1;  // an OPT with an empty padding option (RFC 7830)
    query.insert(query.end(), {0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 4, 0, 12, 0, 0});
    c.post(query);
    BOOST_REQUIRE(c.w.until([&] { return c.w.queries.size() == 1; }));
    Bytes answer = make_query(0, "n.example");
    answer[2] |= 0x80;
    answer[11] = 1;
    answer.insert(answer.end(), {0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0});
    c.w.answer(c.w.queries[0], answer);
    BOOST_TEST(c.response().content.size() == 468U);
}

BOOST_AUTO_TEST_CASE(no_other_client_may_name_the_address) {
    Http1 other_header(http_service());
    other_header.w.answer_all = true;
    other_header.post(make_query(0, "n.example"), "X-Forwarded-For: 203.0.113.7\r\n");
    BOOST_TEST(other_header.response().status == 200);
    BOOST_TEST(other_header.w.queries[0].header.client.to_string() == "127.0.0.1");

    const auto site = proxied("192.0.2.9").http;
    BOOST_TEST(site.trusts(address("192.0.2.9")));
    BOOST_TEST(site.trusts(address("::1")));
    BOOST_TEST(!site.trusts(address("192.0.2.8")));
    BOOST_TEST(!http_service().http.trusts(address("127.0.0.1")));
}

BOOST_AUTO_TEST_SUITE_END()
