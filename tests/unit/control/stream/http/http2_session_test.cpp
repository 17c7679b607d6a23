// DNS over HTTP/2: many queries at once, what each request gets, and what a client cannot do to us.
#include <boost/test/unit_test.hpp>

#include "http/http_peer.h"

using namespace steer;
using namespace steer::test;
using namespace std::chrono_literals;
using stream::Transport;

namespace {

stream::Service http2_service(unsigned streams = 100) {
    stream::Service service;
    service.protocol = config::ServerProtocol::http;
    service.limits.idle_timeout = 30s;
    service.limits.max_queries = streams;
    service.http.paths = {{"/dns-query"}, {"/json", true}};
    return service;
}

struct Http2 {
    StreamWorld w;
    std::uint16_t port;
    Http2Peer c;

    explicit Http2(stream::Service service = http2_service(), std::uint32_t window = 65535)
        : w(1, {}, 512), port(w.listen_tcp(std::move(service))), c(connect(), window) {}

    [[nodiscard]] Peer connect() const {
        return Peer::connected(Transport::tcp, address("127.0.0.1"), port);
    }
    bool until(const std::function<bool()>& done) {
        return w.until([&] {
            c.turn();
            return done();
        });
    }
    HttpResponse& response(std::int32_t id) {
        BOOST_REQUIRE(until([&] { return c.responses[id].closed; }));
        return c.responses[id];
    }
    bool ends() {
        return w.until([&] { return !c.turn(); });
    }
    void turns(int n) {
        for (int i = 0; i < n; ++i) {
            w.turn();
            c.turn();
        }
    }
};

const Bytes kPreface = bytes_of_text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

// What a connection gets that begins with the preface and `frames`: whether it ends by itself.
struct ByHand {
    Http2 world;
    Peer peer{world.connect()};

    explicit ByHand(const Bytes& frames) {
        BOOST_REQUIRE(world.w.until([&] { return peer.send(kPreface + kSettings + frames); }));
    }
    bool ends() {
        return world.w.until([&] { return !peer.receive(); });
    }
    // The error code of the GOAWAY among what arrived; -1: there is none.
    [[nodiscard]] int goaway() const {
        for (std::size_t at = 0; at + 9 <= peer.in.size();) {
            const std::size_t length = dns::load_be32(&peer.in[at]) >> 8;
            if (peer.in[at + 3] == NGHTTP2_GOAWAY)
                return static_cast<int>(dns::load_be32(&peer.in[at + 13]));
            at += 9 + length;
        }
        return -1;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_http2)

BOOST_AUTO_TEST_CASE(json_and_messages_are_answered_on_one_connection) {
    Http2 h;
    const auto json = h.c.get("/json?name=www.example.com");
    const auto message = h.c.get("/json?name=www.example.com&ct=application/dns-message");
    const auto refused = h.c.get("/json?name=www.example.com&type=none");
    BOOST_REQUIRE(h.until([&] { return h.w.queries.size() == 2; }));
    const Bytes response = make_response(make_query(0, "www.example.com"), 1);
    for (const auto& query : h.w.queries)
        h.w.answer(query, response);
    BOOST_TEST(h.response(json).fields["content-type"] == "application/dns-json");
    BOOST_TEST(h.response(json).fields["cache-control"] == "private, max-age=300");
    BOOST_TEST(h.response(json).text().starts_with("{\"Status\":0,"));
    BOOST_TEST(h.response(json).fields["content-length"] ==
               std::to_string(h.response(json).content.size()));
    BOOST_TEST(h.response(message).fields["content-type"] == "application/dns-message");
    BOOST_TEST(h.response(message).content == response);
    BOOST_TEST(h.response(refused).status == 400);
    BOOST_TEST(h.response(refused).text().starts_with("Expected 'type' "));
}

BOOST_AUTO_TEST_CASE(concurrent_queries_are_answered_in_any_order) {
    Http2 t;
    std::map<std::int32_t, Bytes> asked;
    for (std::uint16_t i = 0; i < 50; ++i) {
        const Bytes query = make_query(0, "n" + std::to_string(i) + ".example");
        asked[t.c.post(query)] = query;
    }
    BOOST_REQUIRE(t.until([&] { return t.w.queries.size() == 50; }));
    for (std::size_t i = 50; i > 0; --i)
        t.w.answer(t.w.queries[i - 1], make_response(t.w.queries[i - 1].query, 2));
    for (const auto& [id, query] : asked) {
        auto& r = t.response(id);
        BOOST_TEST(r.status == 200);
        BOOST_TEST(r.content == make_response(query, 2));
        BOOST_TEST(r.fields["content-type"] == "application/dns-message");
        BOOST_TEST(r.fields["content-length"] == std::to_string(r.content.size()));
        BOOST_TEST(r.fields["cache-control"] == "private, max-age=300");
    }
    BOOST_TEST(t.c.settings[NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS] == 100U);
    BOOST_TEST(t.c.settings[NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE] == 8192U);
    BOOST_TEST(t.w.count(StreamCount::http_answers) == 50U);
}

BOOST_AUTO_TEST_CASE(a_get_is_answered) {
    Http2 t;
    t.w.answer_all = true;
    const auto& r =
        t.response(t.c.get("/dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB"));
    BOOST_TEST(r.status == 200);
    BOOST_TEST(t.w.queries[0].query == make_query(0, "www.example.com"));
}

BOOST_AUTO_TEST_CASE(the_longest_answer_is_sent_whole) {
    Http2 t;
    const auto id = t.c.post(make_query(0, "n.example"));
    BOOST_REQUIRE(t.until([&] { return t.w.queries.size() == 1; }));
    Bytes big = make_response(t.w.queries[0].query, 4000);
    big.resize(65535);
    t.w.answer(t.w.queries[0], big);
    BOOST_TEST((t.response(id).content == big));
}

BOOST_AUTO_TEST_CASE(invalid_requests_get_their_status) {
    Http2 t;
    t.w.answer_all = true;
    const Bytes query = make_query(0, "n.example");
    const auto status = [&](std::int32_t id) { return t.response(id).status; };
    const Http2Peer::Fields base{{":scheme", "https"}, {":authority", "dns"}};
    const auto with = [&](Http2Peer::Fields fields, const Bytes& content = {}) {
        fields.insert(fields.end(), base.begin(), base.end());
        std::ranges::sort(fields);  // pseudo header fields first
        return status(t.c.request(fields, content));
    };
    BOOST_TEST(status(t.c.get("/dns-query")) == 400);
    BOOST_TEST(status(t.c.get("/dns-query?dns=AA==")) == 400);
    BOOST_TEST(status(t.c.get("/")) == 404);
    BOOST_TEST(with({{":method", "DELETE"}, {":path", "/dns-query"}}) == 405);
    BOOST_TEST(with({{":method", "POST"}, {":path", "/dns-query"}}, query) == 415);
    BOOST_TEST(status(t.c.post(query, {}, "text/plain")) == 415);
    BOOST_TEST(status(t.c.post(query, {{"content-encoding", "gzip"}})) == 415);
    BOOST_TEST(status(t.c.post({})) == 400);
    BOOST_TEST(status(t.c.post(Bytes(11))) == 400);
    BOOST_TEST(status(t.c.post(Bytes(4097))) == 413);
    BOOST_TEST(status(t.c.post(Bytes(60'000))) == 413);
    BOOST_TEST(status(t.c.post(Bytes(200'000))) == 413);  // not all of it is waited for
    BOOST_TEST(status(t.c.post(query, {{"x", std::string(8000, 'a')}})) == 431);
    BOOST_TEST(status(t.c.get("/dns-query?dns=" + std::string(5500, 'A'))) == 414);
    BOOST_TEST(t.w.queries.empty());
    BOOST_TEST(t.w.count(StreamCount::http_refused) == 14U);
    // the connection is none the worse for it
    BOOST_TEST(status(t.c.post(query)) == 200);
    BOOST_TEST(t.c.goaway == -1);
}

BOOST_AUTO_TEST_CASE(a_head_has_no_content) {
    Http2 t;
    t.w.answer_all = true;
    const auto id =
        t.c.request({{":method", "HEAD"},
                     {":scheme", "https"},
                     {":authority", "dns"},
                     {":path", "/dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB"}});
    auto& r = t.response(id);
    BOOST_TEST(r.status == 200);
    BOOST_TEST(r.content.empty());
    BOOST_TEST(r.fields["content-length"] != "0");
}

BOOST_AUTO_TEST_CASE(a_dropped_query_is_unavailable) {
    Http2 t;
    const auto first = t.c.post(make_query(0, "a.example"));
    const auto second = t.c.post(make_query(0, "b.example"));
    BOOST_REQUIRE(t.until([&] { return t.w.queries.size() == 2; }));
    t.w.drop(t.w.queries[0]);
    t.w.answer(t.w.queries[1], make_response(t.w.queries[1].query, 1));
    BOOST_TEST(t.response(first).status == 503);
    BOOST_TEST(t.response(second).status == 200);
}

BOOST_AUTO_TEST_CASE(a_trusted_proxy_names_the_client) {
    auto service = http2_service();
    service.http.client_header = "cf-connecting-ip";
    Http2 t(std::move(service));
    t.w.answer_all = true;
    const Bytes query = make_query(0, "n.example");
    t.response(t.c.post(query, {{"cf-connecting-ip", "2001:db8::7"}}));
    t.response(t.c.post(query, {{"x-forwarded-for", "2001:db8::7"}}));
    BOOST_TEST(t.w.queries[0].header.client.to_string() == "2001:db8::7");
    BOOST_TEST(t.w.queries[1].header.client.to_string() == "127.0.0.1");
}

// ---- what a client cannot do

BOOST_AUTO_TEST_CASE(more_streams_than_announced_wait) {
    Http2 t(http2_service(5));
    BOOST_REQUIRE(t.until([&] { return !t.c.settings.empty(); }));
    for (int i = 0; i < 12; ++i)
        t.c.post(make_query(0, "n.example"));
    BOOST_REQUIRE(t.until([&] { return t.w.queries.size() >= 5; }));
    std::size_t answered = 0;
    const bool all = t.until([&] {
        BOOST_REQUIRE(t.w.queries.size() - answered <= 5U);
        for (; answered < t.w.queries.size(); ++answered)
            t.w.answer(t.w.queries[answered], make_response(t.w.queries[answered].query, 1));
        return std::ranges::count_if(t.c.responses,
                                     [](const auto& r) { return r.second.status == 200; }) == 12;
    });
    BOOST_TEST(all);
}

BOOST_AUTO_TEST_CASE(a_rapid_reset_ends_the_connection) {
    Http2 t;
    unsigned asked = 0;
    const bool calmed = t.until([&] {
        const auto id = t.c.post(make_query(0, "n.example"));
        t.c.turn();
        t.c.reset(id);
        ++asked;
        // those that a worker was still given are answered
        for (; !t.w.queries.empty(); t.w.queries.erase(t.w.queries.begin()))
            t.w.answer(t.w.queries[0], make_response(t.w.queries[0].query, 1));
        return t.c.goaway >= 0;
    });
    BOOST_TEST(calmed);
    BOOST_TEST(t.c.goaway == static_cast<int>(NGHTTP2_ENHANCE_YOUR_CALM));
    BOOST_TEST(asked <= 130U);
    BOOST_TEST(t.ends());
    BOOST_TEST(t.w.count(StreamCount::http_floods) == 1U);
    BOOST_TEST(t.w.count(StreamCount::http_resets) >= 100U);
}

BOOST_AUTO_TEST_CASE(a_few_resets_are_allowed) {
    Http2 t;
    for (int i = 0; i < 300; ++i) {
        const auto kept = t.c.post(make_query(0, "n.example"));
        const auto reset = t.c.post(make_query(0, "n.example"));
        BOOST_REQUIRE(t.until([&] { return t.w.queries.size() == 2; }));
        t.c.reset(reset);
        BOOST_REQUIRE(t.until([&] { return t.c.responses[reset].closed; }));
        t.w.answer(t.w.queries[0], make_response(t.w.queries[0].query, 1));
        BOOST_REQUIRE(t.response(kept).status == 200);
        t.w.answer(t.w.queries[1], make_response(t.w.queries[1].query, 1));
        t.w.queries.clear();
    }
    BOOST_TEST(t.c.goaway == -1);
    t.turns(5);
    BOOST_TEST(t.w.count(StreamCount::answers_too_late) == 300U);
}

// CVE-2025-8671: the client has us reset its streams.
BOOST_AUTO_TEST_CASE(resets_that_the_client_provokes_are_limited) {
    Http2 t;
    Bytes frames;
    // HEADERS with static and literal fields: GET, https, a path, without its end: then a WINDOW_UPDATE of 0.
    const Bytes head = bytes_of_text(
        "\x82\x87\x04\x0a/dns-query\x01\x03"
        "dns");
    for (std::uint32_t i = 0; i < 150; ++i) {
        frames = frames + http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 2 * i + 1, head) +
                 http2_frame(NGHTTP2_WINDOW_UPDATE, 0, 2 * i + 1, Bytes(4));
    }
    ByHand h(frames);
    BOOST_TEST(h.ends());
    BOOST_TEST(h.world.w.queries.empty());
}

BOOST_AUTO_TEST_CASE(floods_of_frames_without_requests_end_the_connection) {
    const Bytes ping = http2_frame(NGHTTP2_PING, 0, 0, Bytes(8));
    const Bytes priority = http2_frame(NGHTTP2_PRIORITY, 0, 1, Bytes(5));
    const Bytes window = http2_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, {0, 0, 0, 1});
    for (const Bytes& frame : {ping, kSettings, priority, window}) {
        BOOST_TEST_CONTEXT(int{frame[3]}) {
            ByHand h({});
            const bool ended = h.world.w.until([&] {
                for (int i = 0; i < 20; ++i)
                    h.peer.send(frame);
                return !h.peer.receive();
            });
            BOOST_TEST(ended);
            BOOST_TEST(h.goaway() == static_cast<int>(NGHTTP2_ENHANCE_YOUR_CALM));
            BOOST_TEST(h.world.w.count(StreamCount::http_floods) == 1U);
        }
    }
}

BOOST_AUTO_TEST_CASE(after_a_goaway_the_client_has_two_seconds_to_close) {
    ByHand h({});
    const Bytes ping = http2_frame(NGHTTP2_PING, 0, 0, Bytes(8));
    BOOST_REQUIRE(h.world.w.until([&] {
        for (int i = 0; i < 20; ++i)
            h.peer.send(ping);
        return !h.peer.receive();
    }));
    h.world.w.pass(1s);
    h.world.turns(3);
    BOOST_TEST(h.world.w.count(StreamCount::tcp_lingered) == 0U);
    h.peer.send(ping);
    h.world.w.pass(2s);
    h.world.turns(3);
    BOOST_TEST(h.world.w.count(StreamCount::tcp_lingered) == 1U);
}

BOOST_AUTO_TEST_CASE(after_a_goaway_few_more_bytes_are_read) {
    ByHand h({});
    const Bytes ping = http2_frame(NGHTTP2_PING, 0, 0, Bytes(8));
    Bytes pings;
    for (int i = 0; i < 1'000; ++i)
        pings.insert(pings.end(), ping.begin(), ping.end());
    // A reset, because there is unread input.
    BOOST_TEST(h.world.w.until([&] {
        h.peer.send(pings);
        h.peer.receive();
        return h.world.w.thread->connections() == 1;  // that of the other client
    }));
}

BOOST_AUTO_TEST_CASE(floods_of_empty_data_frames_end_the_connection) {
    Http2 t;
    t.c.post({}, {{"content-length", "9"}});  // keeps nghttp2's client's own stream ids apart
    const Bytes head = bytes_of_text(
        "\x83\x87\x04\x0a/dns-query\x01\x03"
        "dns\x0f\x10\x17"
        "application/dns-message");
    ByHand h(http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, head));
    const Bytes empty = http2_frame(NGHTTP2_DATA, 0, 1, {});
    const bool ended = h.world.w.until([&] {
        for (int i = 0; i < 20; ++i)
            h.peer.send(empty);
        return !h.peer.receive();
    });
    BOOST_TEST(ended);
    BOOST_TEST(h.goaway() == static_cast<int>(NGHTTP2_ENHANCE_YOUR_CALM));
}

BOOST_AUTO_TEST_CASE(endless_continuations_end_the_connection) {
    Bytes frames = http2_frame(NGHTTP2_HEADERS, 0, 1, {0x82});
    for (int i = 0; i < 40; ++i)
        frames = frames + http2_frame(NGHTTP2_CONTINUATION, 0, 1, {0x86});
    ByHand h(frames);
    h.peer.shut_down_sending();
    BOOST_TEST(h.ends());
    BOOST_TEST(h.world.w.count(StreamCount::http_floods) == 1U);
}

BOOST_AUTO_TEST_CASE(malformed_connections_are_closed) {
    for (const Bytes& frames :
         {http2_frame(NGHTTP2_DATA, 0, 0, Bytes(1)), http2_frame(NGHTTP2_PING, 0, 0, Bytes(7)),
          http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, {0xff, 0xff, 0xff, 0xff, 0xff}),
          http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 2, {0x82}),
          http2_frame(NGHTTP2_CONTINUATION, 0, 1, {0x82}),
          Bytes{0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1}}) {
        ByHand h(frames);
        h.peer.shut_down_sending();
        BOOST_TEST(h.ends());
        BOOST_TEST(h.goaway() > 0);
        BOOST_TEST(h.world.w.thread->connections() <= 1U);
    }
    // not even the preface
    Http2 t;
    Peer peer = t.connect();
    BOOST_REQUIRE(t.w.until([&] { return peer.send(kPreface + Bytes(30, 0xaa)); }));
    peer.shut_down_sending();
    BOOST_TEST(t.w.until([&] { return !peer.receive(); }));
}

BOOST_AUTO_TEST_CASE(unread_answers_stop_new_requests) {
    Http2 t(http2_service(), 0);  // a client that opens no window
    t.c.consumes = false;
    for (int i = 0; i < 40; ++i)
        t.c.post(make_query(0, "n.example"));
    BOOST_REQUIRE(t.until([&] { return t.w.queries.size() == 40; }));
    const auto answer = [&](std::size_t i) {
        Bytes big = make_response(t.w.queries[i].query, 1);
        big.resize(50'000);
        t.w.answer(t.w.queries[i], big);
    };
    for (std::size_t i = 0; i < 6; ++i)
        answer(i);
    BOOST_REQUIRE(t.until([&] { return t.c.responses.size() == 6; }));
    BOOST_TEST(t.response(t.c.post(make_query(0, "n.example"))).error == NGHTTP2_REFUSED_STREAM);
    BOOST_TEST(t.w.count(StreamCount::http_unread) == 1U);
    for (std::size_t i = 6; i < 40; ++i)
        answer(i);
    BOOST_TEST(t.ends());
    BOOST_TEST(t.w.count(StreamCount::tcp_stalled) == 1U);
}

BOOST_AUTO_TEST_CASE(a_slow_request_is_ended_at_its_time_limit) {
    Http2 t;
    const auto id = t.c.request({{":method", "POST"},
                                 {":scheme", "https"},
                                 {":authority", "dns"},
                                 {":path", "/dns-query"},
                                 {"content-type", "application/dns-message"}},
                                {1, 2, 3}, false);
    t.turns(5);
    t.w.pass(11s);
    t.c.ping();
    BOOST_TEST(t.response(id).error == NGHTTP2_CANCEL);
    BOOST_TEST(t.w.count(StreamCount::http_too_slow) == 1U);
    t.w.answer_all = true;
    BOOST_TEST(t.response(t.c.post(make_query(0, "n.example"))).status == 200);
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_closed_even_with_pings) {
    Http2 t;
    t.w.answer_all = true;
    t.response(t.c.post(make_query(0, "n.example")));
    for (int i = 0; i < 3; ++i) {
        t.w.pass(11s);
        t.c.ping();
        t.turns(5);
    }
    BOOST_TEST(t.ends());
    BOOST_TEST(t.c.goaway == 0);
    BOOST_TEST(t.w.count(StreamCount::tcp_idle) == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
