// DNS over HTTP as a client: every query has one end, whatever the upstream does.
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <ctime>

#include "control/streams/http/doh_client.h"
#include "control/streams/http/http2_session.h"
#include "control/streams/upstream/http_upstream.h"
#include "control/streams/upstream/stream_transport.h"
#include "http/http_peer.h"

using namespace steer;
using namespace steer::stream;
using namespace steer::test;

namespace {

// ---- HTTP/2 in memory

struct Taker final : DohReplyTaker {
    std::map<std::uint32_t, DohReply> replies;
    std::map<std::uint32_t, Retry> failures;
    std::vector<std::uint32_t> written;

    void take_reply(std::uint32_t request, DohReply& reply) override {
        BOOST_TEST(!has_ended(request));
        replies[request] = reply;
    }
    void take_failure(std::uint32_t request, Retry retry) override {
        BOOST_TEST(!has_ended(request));
        failures[request] = retry;
    }
    void take_written(std::uint32_t request) override { written.push_back(request); }
    [[nodiscard]] bool has_ended(std::uint32_t request) const {
        return replies.contains(request) || failures.contains(request);
    }
};

// Heads of responses: 200 with our content type; 404; 200 with another.
const Bytes kOk = bytes_of_text(
    "\x88\x0f\x10\x17"
    "application/dns-message");
const Bytes kNotFound = bytes_of_text("\x8d");
const Bytes kText = bytes_of_text(
    "\x88\x0f\x10\x0a"
    "text/plain");

Bytes response(std::uint32_t stream, const Bytes& head, const Bytes& content) {
    return http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream, head) +
           http2_frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, stream, content);
}
Bytes goaway(std::uint32_t last, std::uint8_t error) {
    return http2_frame(NGHTTP2_GOAWAY, 0, 0,
                       {0, 0, 0, static_cast<std::uint8_t>(last), 0, 0, 0, error});
}
Bytes reset(std::uint32_t stream, std::uint8_t error) {
    return http2_frame(NGHTTP2_RST_STREAM, 0, stream, {0, 0, 0, error});
}

struct InMemory {
    Taker taker;
    DohClient client{{"dns.example", "/dns-query"}, "h2", taker};

    // Discards what the client has to send.
    void flush() {
        while (!client.next_output().empty()) {
        }
    }
    std::uint32_t ask() {
        const auto id = client.ask(make_query(0, "n.example"));
        flush();
        return id;
    }
    void receive(const Bytes& bytes) {
        client.receive(bytes);
        flush();
    }
    InMemory() {
        flush();
        receive(kSettings);
    }
};

// ---- a session on a socket, over HTTP/1.1

struct Ends final : SessionWatcher {
    unsigned rooms = 0, ended = 0;
    std::string why;
    void on_room(UpstreamSession&) override { ++rooms; }
    void on_ended(UpstreamSession&, const std::string& reason) override {
        ++ended;
        why = reason;
    }
};

struct Asked {
    unsigned times = 0;
    Bytes message;
    int error = -1;
    Retry retry = Retry::never;
    std::uint32_t retry_after_s = 0;
    UpstreamSession::Done done() {
        return [this](const SessionReply& reply) {
            ++times;
            message.assign(reply.message.begin(), reply.message.end());
            error = reply.error;
            retry = reply.retry;
            retry_after_s = reply.retry_after_s;
        };
    }
};

struct OnSocket {
    BufferPools buffers{64, 4};
    SkippingClock clock;
    StreamContext context{0, {}, buffers, clock};
    Peer listener = Peer::bound(Transport::tcp, address("127.0.0.1"));
    Ends watcher;
    std::shared_ptr<UpstreamSession> session;
    std::unique_ptr<Peer> upstream;

    explicit OnSocket(decltype(&make_http_session) make = make_http_session) {
        boost::asio::ip::tcp::socket socket(context.io);
        socket.connect({boost::asio::ip::address_v4::loopback(), listener.port()});
        UpstreamTarget target;
        target.host = "dns.example";
        target.path = "/dns-query";
        target.port = 443;
        target.scheme = stream::UpstreamScheme::https;
        session = make(context, ByteStream(std::move(socket)), target, watcher);
        BOOST_REQUIRE(until([&] {
            if (auto peer = listener.accept()) upstream = std::make_unique<Peer>(std::move(*peer));
            return upstream != nullptr;
        }));
    }
    ~OnSocket() { session->close(); }

    bool until(const std::function<bool()>& done) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (!done()) {
            if (std::chrono::steady_clock::now() > end) return false;
            if (context.io.poll() == 0) ::poll(nullptr, 0, 1);
            context.io.restart();
        }
        return true;
    }
    void ask(Asked& asked, std::uint16_t id = 7) {
        session->ask(make_query(id, "n.example"), clock.now().ms + 1000, asked.done());
        BOOST_TEST(asked.times == 0U);  // never from within
    }
    // The request that arrived, whole.
    std::string request() {
        const Bytes query = make_query(0, "n.example");
        BOOST_REQUIRE(until([&] {
            upstream->receive();
            return upstream->in.size() >= query.size() &&
                   std::equal(query.rbegin(), query.rend(), upstream->in.rbegin());
        }));
        const Bytes all = std::exchange(upstream->in, {});
        return {all.begin(), all.end() - static_cast<std::ptrdiff_t>(query.size())};
    }
    void say(const std::string& head, const Bytes& content = {}) {
        Bytes all = bytes_of_text(head);
        all.insert(all.end(), content.begin(), content.end());
        BOOST_REQUIRE(until([&] { return upstream->send(all); }));
    }
    void say_dns(const Bytes& message) {
        say("HTTP/1.1 200 OK\r\nContent-Type: application/dns-message\r\nContent-Length: " +
                std::to_string(message.size()) + "\r\n\r\n",
            message);
    }
};

const Bytes kReply = make_response(make_query(0, "n.example"), 1);
using Failures = std::map<std::uint32_t, Retry>;

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_http_client)

BOOST_AUTO_TEST_CASE(chunks_of_a_response_may_come_in_any_pieces) {
    for (const std::string content : {"", "3\r\nabc\r\n"}) {
        Taker taker;
        DohClient client({"dns.example", "/dns-query"}, "", taker);
        const auto id = client.ask(make_query(0, "n.example"));
        for (const char c :
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + content + "0\r\n\r\n") {
            const std::array piece{static_cast<std::uint8_t>(c)};
            client.receive(piece);
        }
        BOOST_TEST_REQUIRE(taker.replies.contains(id));
        BOOST_TEST(taker.replies[id].content.size() == (content.empty() ? 0U : 3U));
        BOOST_TEST(client.room() == 1U);
    }
}

// RFC 8484 5.1: an answer that an HTTP cache kept has lost that time.
BOOST_AUTO_TEST_CASE(ttls_are_lowered_by_age_and_limited_by_max_age) {
    struct Case {
        const char *fields, *what;
        std::uint32_t ttl_s;
    };
    for (const auto& [fields, what, ttl_s] :
         {Case{"", "without both", 300}, Case{"Age: 250\r\n", "Age", 50},
          Case{"age: 900\r\n", "Age above the TTL", 0},
          Case{"Age: 99999999999\r\n", "a huge Age", 0}, Case{"Age: x\r\n", "no Age", 300},
          Case{"Age: 250, 20\r\n", "two in one field", 50},
          Case{"Age: 250\r\nAge: 20\r\n", "two fields", 50},
          Case{"Cache-Control: private, Max-Age=60\r\n", "max-age", 60},
          Case{"Cache-Control: max-age=600\r\n", "max-age above the TTL", 300},
          Case{"Cache-Control: max-age=0, no-store\r\n", "for HTTP caches only", 300},
          Case{"Age: 50\r\nCache-Control: max-age=60\r\n", "both", 10},
          Case{"Age: 250\r\nCache-Control: max-age=300\r\n", "as a cache sends them", 50},
          Case{"Age: 70\r\nCache-Control: max-age=60\r\n", "stale in HTTP", 0}}) {
        OnSocket s;
        Asked asked;
        s.ask(asked);
        s.request();
        // The question, an address with a TTL of 300 s, an OPT whose "TTL" has DO.
        Bytes message = make_response(make_query(0, "n.example"), 0);
        const Bytes records{0xc0, 12, 0, 1, 0,  1, 0,   0, 1, 44,   0, 4, 192, 0,
                            2,    1,  0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 0};
        message.insert(message.end(), records.begin(), records.end());
        message[7] = 1;
        message[11] = 1;
        s.say("HTTP/1.1 200 OK\r\nContent-Type: application/dns-message\r\n" + std::string(fields) +
                  "Content-Length: " + std::to_string(message.size()) + "\r\n\r\n",
              message);
        BOOST_REQUIRE(s.until([&] { return asked.times == 1; }));
        BOOST_TEST(asked.error == 0, what);
        BOOST_REQUIRE(asked.message.size() == message.size());
        const std::size_t ttl = message.size() - records.size() + 6;
        BOOST_TEST(dns::load_be32(&asked.message[ttl]) == ttl_s, what);
        BOOST_TEST(int{asked.message[message.size() - 4]} == 0x80, what);
    }
}

BOOST_AUTO_TEST_CASE(retry_after_is_read_at_429_and_503) {
    struct Case {
        const char *status, *value;
        std::uint32_t least_s, most_s;
    };
    const std::time_t later = std::time(nullptr) + 100;
    std::array<char, 64> date{};
    std::strftime(date.data(), date.size(), "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&later));
    for (const auto& [status, value, least_s, most_s] :
         {Case{"429 Too Many Requests", "30", 30, 30}, Case{"503 Service Unavailable", "5", 5, 5},
          Case{"503 Service Unavailable", date.data(), 80, 100},
          Case{"429 Too Many Requests", "soon", 0, 0},
          Case{"503 Service Unavailable", "Wed, 21 Oct 2015 07:28:00 GMT", 0, 0},
          Case{"404 Not Found", "30", 0, 0}}) {
        OnSocket s;
        Asked asked;
        s.ask(asked);
        s.request();
        s.say("HTTP/1.1 " + std::string(status) + "\r\nRetry-After: " + value +
              "\r\nContent-Length: 0\r\n\r\n");
        BOOST_REQUIRE(s.until([&] { return asked.times == 1; }));
        BOOST_TEST(asked.error == EPROTO);
        BOOST_TEST(asked.retry_after_s >= least_s);
        BOOST_TEST(asked.retry_after_s <= most_s);
    }
}

// ---- HTTP/2

// Our own server's session at the other end.
BOOST_AUTO_TEST_CASE(many_concurrent_queries_are_answered) {
    struct Server final : HttpQueryTaker {
        std::vector<std::pair<std::uint32_t, Bytes>> queries;
        void take_query(std::uint32_t stream, std::size_t, std::span<const std::uint8_t> message,
                        std::string_view) override {
            queries.emplace_back(stream, Bytes(message.begin(), message.end()));
        }
    } server;
    StreamCounters counters;
    const HttpSite site{{{"/dns-query"}}, ""};
    Http2Session session(site, server, counters, 100);
    Taker taker;
    DohClient client({"dns.example", "/dns-query"}, "h2", taker);
    const auto exchange = [&] {
        for (bool more = true; more;) {
            more = false;
            for (auto out = client.next_output(); !out.empty(); out = client.next_output()) {
                session.receive(out, 0);
                more = true;
            }
            for (auto out = session.next_output(); !out.empty(); out = session.next_output()) {
                client.receive(out);
                more = true;
            }
        }
    };
    std::map<std::uint32_t, Bytes> asked;
    for (unsigned i = 0; i < 100; ++i) {
        BOOST_REQUIRE(client.room() == 100 - i);
        const Bytes query = make_query(0, "n" + std::to_string(i) + ".example");
        asked[client.ask(query)] = query;
    }
    BOOST_TEST(client.room() == 0U);
    exchange();
    BOOST_REQUIRE(server.queries.size() == 100U);
    for (auto q = server.queries.rbegin(); q != server.queries.rend(); ++q) {
        BOOST_TEST(q->second == asked[q->first]);
        session.answer(q->first, HttpStatus::ok, make_response(q->second, 1));
    }
    exchange();
    BOOST_TEST(taker.replies.size() == 100U);
    for (const auto& [request, query] : asked) {
        BOOST_TEST(taker.replies[request].is_dns());
        BOOST_TEST(taker.replies[request].content == make_response(query, 1));
    }
    BOOST_TEST(client.room() == 100U);
    BOOST_TEST(!client.is_over());
}

BOOST_AUTO_TEST_CASE(requests_are_sent_one_after_the_other) {
    InMemory m;
    for (unsigned i = 0; i < 4; ++i)
        m.client.ask(make_query(0, "n.example"));
    m.client.cancel(5);
    Bytes sent;
    for (auto out = m.client.next_output(); !out.empty(); out = m.client.next_output())
        sent.insert(sent.end(), out.begin(), out.end());
    std::vector<std::pair<unsigned, unsigned>> frames;  // type and stream
    for (std::size_t at = 0; at + 9 <= sent.size(); at += 9U + (sent[at + 1] * 256U + sent[at + 2]))
        frames.emplace_back(sent[at + 3], sent[at + 8]);
    const auto head = unsigned{NGHTTP2_HEADERS}, content = unsigned{NGHTTP2_DATA};
    BOOST_TEST(
        (frames == decltype(frames){
                       {head, 1}, {content, 1}, {head, 3}, {content, 3}, {head, 7}, {content, 7}}));
    m.receive(response(7, kOk, kReply));
    BOOST_TEST(m.taker.replies[7].is_dns());
    BOOST_TEST(m.client.room() == 98U);
}

BOOST_AUTO_TEST_CASE(requests_not_sent_before_goaway_may_be_retried) {
    InMemory m;
    m.ask();
    m.client.ask(make_query(0, "n.example"));
    m.receive(goaway(1, 0));
    BOOST_TEST((m.taker.failures == Failures{{3, Retry::unprocessed}}));
    m.receive(response(1, kOk, kReply));
    BOOST_TEST(m.client.is_over());
}

BOOST_AUTO_TEST_CASE(requests_above_the_goaway_id_may_be_retried) {
    InMemory m;
    BOOST_TEST(m.ask() == 1U);
    m.ask();
    m.ask();
    m.receive(goaway(1, 0));
    BOOST_TEST(m.client.room() == 0U);
    BOOST_TEST((m.taker.failures == Failures{{3, Retry::unprocessed}, {5, Retry::unprocessed}}));
    BOOST_TEST(!m.client.is_over());
    m.receive(response(1, kOk, kReply));
    BOOST_TEST(m.taker.replies[1].is_dns());
    BOOST_TEST(m.client.is_over());
    BOOST_TEST(m.client.why() == "");
}

BOOST_AUTO_TEST_CASE(a_reset_stream_fails_its_query) {
    InMemory m;
    for (int i = 0; i < 3; ++i)
        m.ask();
    m.receive(reset(1, NGHTTP2_REFUSED_STREAM));
    m.receive(reset(3, NGHTTP2_INTERNAL_ERROR));
    m.receive(http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 5, kOk) + reset(5, 0));
    BOOST_TEST((m.taker.failures ==
                Failures{{1, Retry::unprocessed}, {3, Retry::never}, {5, Retry::never}}));
    BOOST_TEST(m.client.room() == 100U);
}

BOOST_AUTO_TEST_CASE(responses_without_a_dns_message_fail) {
    InMemory m;
    for (int i = 0; i < 3; ++i)
        m.ask();
    m.receive(response(1, kNotFound, bytes_of_text("nothing here")) + response(3, kText, kReply) +
              response(5, kOk, kReply));
    BOOST_TEST(m.taker.replies[1].status == 404U);
    BOOST_TEST(!m.taker.replies[1].is_dns());
    BOOST_TEST(!m.taker.replies[3].is_dns());
    BOOST_TEST(m.taker.replies[5].is_dns());
    BOOST_TEST((DohReply{425, "", {}}.is_too_early()));
    for (const char* type : {"application/dns-message; x=y", "Application/DNS-Message"})
        BOOST_TEST((DohReply{200, type, {}}.is_dns()), type);
    for (const char* type : {"application/dns-messages", "application/dns-messag", ""})
        BOOST_TEST(!(DohReply{200, type, {}}.is_dns()), type);
}

BOOST_AUTO_TEST_CASE(a_response_that_is_too_long_fails_alone) {
    InMemory m;
    m.ask();
    m.ask();
    m.receive(http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, kOk));
    for (int i = 0; i < 5; ++i)
        m.receive(http2_frame(NGHTTP2_DATA, 0, 1, Bytes(16'000)));
    BOOST_TEST((m.taker.failures == Failures{{1, Retry::never}}));
    m.receive(response(3, kOk, kReply));
    BOOST_TEST(m.taker.replies[3].is_dns());
    BOOST_TEST(m.client.room() == 100U);
}

BOOST_AUTO_TEST_CASE(a_cancelled_query_ends_without_a_result) {
    InMemory m;
    m.ask();
    m.client.cancel(1);
    m.receive(response(1, kOk, kReply));
    BOOST_TEST(!m.taker.has_ended(1));
    m.ask();
    m.receive(response(3, kOk, kReply));
    BOOST_TEST(m.taker.replies[3].is_dns());
}

BOOST_AUTO_TEST_CASE(garbage_ends_the_connection) {
    InMemory m;
    m.ask();
    m.receive(bytes_of_text("HTTP/1.1 400 Bad Request\r\n\r\n"));
    BOOST_TEST(m.client.is_over());
    BOOST_TEST(m.client.room() == 0U);
    BOOST_TEST(m.client.why() == "the server broke HTTP/2: FRAME_SIZE_ERROR");
}

BOOST_AUTO_TEST_CASE(an_enhance_your_calm_is_reported) {
    InMemory m;
    m.ask();
    m.receive(goaway(0, NGHTTP2_ENHANCE_YOUR_CALM));
    BOOST_TEST((m.taker.failures == Failures{{1, Retry::unprocessed}}));
    BOOST_TEST(m.client.is_over());
    BOOST_TEST(m.client.why() == "the server ended HTTP/2: ENHANCE_YOUR_CALM");
}

BOOST_AUTO_TEST_CASE(requests_that_a_broken_connection_cut_were_not_processed) {
    InMemory m;
    m.ask();
    BOOST_TEST(m.taker.written == (std::vector<std::uint32_t>{1}));
    m.client.ask(make_query(0, "n.example"));
    m.client.receive(bytes_of_text("HTTP/1.1 400 Bad Request\r\n\r\n"));
    m.flush();
    BOOST_TEST((m.taker.failures == Failures{{1, Retry::lost}, {3, Retry::unprocessed}}));
    BOOST_TEST(m.client.is_leaving());
}

BOOST_AUTO_TEST_CASE(a_leaving_upstream_takes_no_further_request) {
    InMemory m;
    m.ask();
    BOOST_TEST(!m.client.is_leaving());
    m.receive(reset(1, NGHTTP2_REFUSED_STREAM));
    BOOST_TEST(!m.client.is_leaving());
    m.ask();
    m.receive(goaway(3, 0));
    BOOST_TEST(m.client.is_leaving());
}

BOOST_AUTO_TEST_CASE(the_stream_limit_of_the_upstream_is_kept) {
    InMemory m;
    BOOST_TEST(!DohClient({"dns.example", "/"}, "h2", m.taker).announced_limit().has_value());
    m.receive(http2_frame(NGHTTP2_SETTINGS, 0, 0, {0, 3, 0, 0, 0, 2}));
    BOOST_TEST(m.client.announced_limit().value() == 2U);
    BOOST_TEST(m.client.room() == 2U);
    m.ask();
    m.ask();
    BOOST_TEST(m.client.room() == 0U);
    BOOST_TEST(!m.client.is_over());
}

// ---- the session, over HTTP/1.1

BOOST_AUTO_TEST_CASE(a_query_gets_its_reply) {
    OnSocket s;
    Asked asked;
    BOOST_TEST(s.session->room() == 1U);
    s.ask(asked, 4711);
    BOOST_TEST(s.session->room() == 0U);
    const std::string head = s.request();  // whose query has the id 0
    BOOST_TEST(head.starts_with("POST /dns-query HTTP/1.1\r\nHost: dns.example\r\n"));
    BOOST_TEST((s.session->silent_since_ms() != UINT64_MAX));
    s.say("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
    s.say_dns(kReply);
    BOOST_REQUIRE(s.until([&] { return asked.times == 1; }));
    BOOST_TEST(asked.error == 0);
    BOOST_TEST(asked.message == make_response(make_query(4711, "n.example"), 1));
    BOOST_TEST(s.session->room() == 1U);
    BOOST_TEST(s.watcher.rooms == 1U);
    BOOST_TEST(s.session->in_progress() == 0U);
    BOOST_TEST((s.session->silent_since_ms() == UINT64_MAX));
    Asked second;
    s.ask(second);
    s.request();
    s.say(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: "
        "application/dns-message\r\n\r\n2b\r\n");
    BOOST_REQUIRE(kReply.size() == 0x2b);
    s.say("", kReply);
    s.say("\r\n0\r\n\r\n");
    BOOST_REQUIRE(s.until([&] { return second.times == 1; }));
    BOOST_TEST(second.error == 0);
}

BOOST_AUTO_TEST_CASE(invalid_replies_fail_the_query) {
    OnSocket s;
    const auto error_of = [&](const std::string& head, const Bytes& content) {
        Asked asked;
        s.ask(asked);
        s.request();
        s.say(head + "Content-Length: " + std::to_string(content.size()) + "\r\n\r\n", content);
        BOOST_REQUIRE(s.until([&] { return asked.times == 1; }));
        BOOST_TEST(asked.message.empty());
        BOOST_TEST((asked.retry == Retry::never));
        return asked.error;
    };
    const std::string type = "Content-Type: application/dns-message\r\n";
    BOOST_TEST(error_of("HTTP/1.1 503 Busy\r\n" + type, kReply) == EPROTO);
    BOOST_TEST(error_of("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", kReply) == EPROTO);
    BOOST_TEST(error_of("HTTP/1.1 200 OK\r\n", kReply) == EPROTO);
    BOOST_TEST(error_of("HTTP/1.1 200 OK\r\n" + type, {}) == EPROTO);
    BOOST_TEST(error_of("HTTP/1.1 200 OK\r\n" + type, Bytes(20)) == EPROTO);
    const Bytes other = make_response(make_query(0, "other.example"), 1);
    BOOST_TEST(error_of("HTTP/1.1 200 OK\r\n" + type, other) == EPROTO);
    BOOST_TEST(s.watcher.ended == 0U);
    BOOST_TEST(s.session->room() == 1U);
}

// RFC 8470 5.2.
BOOST_AUTO_TEST_CASE(a_query_that_is_too_early_was_not_processed) {
    OnSocket s;
    Asked asked;
    s.ask(asked);
    s.request();
    s.say("HTTP/1.1 425 Too Early\r\nContent-Length: 0\r\n\r\n");
    BOOST_REQUIRE(s.until([&] { return asked.times == 1; }));
    BOOST_TEST((asked.retry == Retry::unprocessed));
    BOOST_TEST(s.session->room() == 1U);
}

BOOST_AUTO_TEST_CASE(a_query_that_was_never_written_was_not_processed) {
    for (const auto make : {make_http_session, make_dns_session}) {
        for (const bool is_written : {true, false}) {
            OnSocket s(make);
            Asked asked;
            s.ask(asked);
            if (is_written)
                BOOST_REQUIRE(s.until([&] {
                    s.upstream->receive();
                    return !s.upstream->in.empty();
                }));
            s.session->close();
            BOOST_REQUIRE(s.until([&] { return asked.times == 1; }));
            BOOST_TEST((asked.retry == (is_written ? Retry::lost : Retry::unprocessed)));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_query_on_an_ended_connection_is_retried) {
    OnSocket s;
    Asked asked;
    s.ask(asked);
    s.request();
    s.say(
        "HTTP/1.1 200 OK\r\nContent-Type: application/dns-message\r\nContent-Length: 20\r\n\r\n12");
    s.upstream.reset();
    BOOST_REQUIRE(s.until([&] { return s.watcher.ended == 1; }));
    BOOST_TEST(asked.times == 1U);
    BOOST_TEST(asked.error == ECONNRESET);
    BOOST_TEST((asked.retry == Retry::lost));
    BOOST_TEST(s.session->room() == 0U);
}

BOOST_AUTO_TEST_CASE(a_response_may_end_with_the_connection) {
    OnSocket s;
    Asked asked;
    s.ask(asked);
    s.request();
    s.say("HTTP/1.0 200 OK\r\nContent-Type: application/dns-message\r\n\r\n", kReply);
    s.upstream.reset();
    BOOST_REQUIRE(s.until([&] { return s.watcher.ended == 1; }));
    BOOST_TEST(asked.times == 1U);
    BOOST_TEST(asked.error == 0);
    BOOST_TEST(s.watcher.why == "");
}

BOOST_AUTO_TEST_CASE(connection_close_ends_it_after_the_reply) {
    OnSocket s;
    Asked asked;
    s.ask(asked);
    s.request();
    s.say(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: "
        "application/dns-message\r\nContent-Length: 43\r\n\r\n",
        kReply);
    BOOST_REQUIRE(s.until([&] { return s.watcher.ended == 1; }));
    BOOST_TEST(asked.error == 0);
    BOOST_TEST(asked.times == 1U);
}

BOOST_AUTO_TEST_CASE(a_missed_deadline_closes_the_connection) {
    OnSocket s;
    Asked asked;
    s.ask(asked);
    s.request();
    s.session->expire(s.clock.now().ms);
    BOOST_TEST(asked.times == 0U);
    s.session->expire(s.clock.now().ms + 1001);
    BOOST_TEST(asked.times == 1U);
    BOOST_TEST(asked.error == ETIMEDOUT);
    BOOST_TEST(s.until([&] { return s.watcher.ended == 1; }));
    BOOST_TEST(asked.times == 1U);
}

BOOST_AUTO_TEST_CASE(closing_the_session_ends_its_queries) {
    OnSocket s;
    Asked asked;
    s.ask(asked);
    s.session->close();
    BOOST_TEST(asked.times == 0U);  // not from within
    BOOST_TEST(s.until([&] { return asked.times == 1; }));
    BOOST_TEST(asked.error == ECONNRESET);
    BOOST_TEST(s.until([&] { return !s.upstream->receive(); }));
    BOOST_TEST(s.watcher.ended == 0U);
}

BOOST_AUTO_TEST_CASE(a_response_without_a_request_closes_the_connection) {
    OnSocket s;
    s.say("HTTP/1.1 200 OK\r\n");
    BOOST_TEST(s.until([&] { return s.watcher.ended == 1; }));
    BOOST_TEST(s.watcher.why != "");
}

BOOST_AUTO_TEST_SUITE_END()
