// The HTTP client by itself, over HTTP/1.1 and HTTP/2: what is asked, what of a response is handed on and when, and how a
// request may be given up in the middle. (DNS over it: ../upstream/http_upstream_test.cpp.)
#include "control/streams/http/http_client.h"

#include <boost/test/unit_test.hpp>
#include <map>

#include "http/http_peer.h"

using namespace steer;
using namespace steer::test;
using namespace steer::stream;

namespace {

struct Taken final : HttpReplyTaker {
    struct One {
        HttpResponseHead head;
        std::string content, why;
        unsigned heads = 0, parts = 0, ends = 0, failures = 0;
    };
    std::map<std::uint32_t, One> all;
    HttpClient* cancels_at_head = nullptr;
    HttpClient* cancels_at_content = nullptr;

    void take_head(std::uint32_t request, const HttpResponseHead& head) override {
        ++all[request].heads;
        all[request].head = head;
        if (cancels_at_head != nullptr) cancels_at_head->cancel(request);
    }
    void take_content(std::uint32_t request, std::span<const std::uint8_t> bytes) override {
        ++all[request].parts;
        all[request].content.append(bytes.begin(), bytes.end());
        if (cancels_at_content != nullptr) cancels_at_content->cancel(request);
    }
    void take_end(std::uint32_t request) override { ++all[request].ends; }
    void take_failure(std::uint32_t request, Retry, std::string_view why) override {
        ++all[request].failures;
        all[request].why = why;
    }
};

HttpClientLimits limits() {
    return {.head_bytes = 1024, .window_bytes = 1 << 20, .wanted = {"etag", "location"}};
}

struct Client {
    explicit Client(std::string_view protocol)
        : http(make_http_client(protocol, limits(), taken)) {}

    std::string sent() {
        std::string all;
        for (auto out = http->next_output(); !out.empty(); out = http->next_output())
            all.append(out.begin(), out.end());
        return all;
    }
    std::uint32_t get(bool is_last = false) {
        return http->ask(std::make_shared<const HttpRequestHead>(
                             HttpRequestHead{.method = "GET",
                                             .scheme = "https",
                                             .authority = "lists.example",
                                             .path = "/list?x",
                                             .fields = {{"Accept-Encoding", "gzip"}},
                                             .is_last = is_last}),
                         {});
    }
    void receive(const Bytes& bytes) { http->receive(bytes); }
    void receive(const std::string& text) { http->receive(bytes_of_text(text)); }

    Taken taken;
    std::unique_ptr<HttpClient> http;
};

const std::string kOkHead = "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nServer: x\r\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_http)

BOOST_AUTO_TEST_CASE(a_request_without_content_is_answered) {
    Client c("");
    c.get(true);
    BOOST_TEST(c.sent() ==
               "GET /list?x HTTP/1.1\r\nHost: lists.example\r\nAccept-Encoding: gzip\r\n"
               "Connection: close\r\n\r\n");
    BOOST_TEST(c.http->room() == 0U);
}

BOOST_AUTO_TEST_CASE(content_is_passed_on_as_it_arrives) {
    Client c("http/1.1");
    const auto id = c.get();
    c.receive(kOkHead + "Content-Length: 6\r\n");
    BOOST_TEST(c.taken.all[id].heads == 0U);
    c.receive("\r\nabc");
    const auto& one = c.taken.all[id];
    BOOST_TEST(one.heads == 1U);
    BOOST_TEST(one.head.status == 200U);
    BOOST_TEST(one.head.reason == "OK");
    BOOST_TEST(one.head.find("etag") == "\"v1\"");
    BOOST_TEST(one.head.fields.size() == 1U);  // of those that were wanted
    BOOST_TEST((one.head.content_length == 6U));
    BOOST_TEST(one.content == "abc");
    BOOST_TEST(one.ends == 0U);
    c.receive("def");
    BOOST_TEST(one.content == "abcdef");
    BOOST_TEST(one.ends == 1U);
    BOOST_TEST(c.http->room() == 1U);
}

BOOST_AUTO_TEST_CASE(chunks_and_interim_heads_may_come_in_any_pieces) {
    Client c("");
    const auto id = c.get();
    for (const char byte :
         "HTTP/1.1 103 Early Hints\r\nETag: \"no\"\r\n\r\n" + kOkHead +
             "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nT: "
             "x\r\n\r\n")
        c.receive(std::string(1, byte));
    BOOST_TEST(c.taken.all[id].heads == 1U);
    BOOST_TEST(c.taken.all[id].head.find("etag") == "\"v1\"");
    BOOST_TEST(c.taken.all[id].content == "abcd");
    BOOST_TEST(c.taken.all[id].ends == 1U);
}

BOOST_AUTO_TEST_CASE(an_early_end_of_the_connection_is_an_error) {
    const std::string chunked = kOkHead + "Transfer-Encoding: chunked\r\n\r\n";
    for (const std::string& part :
         {std::string{}, kOkHead, chunked, chunked + "0\r\n", chunked + "3\r\nab",
          chunked + "3\r\nabc", kOkHead + "Content-Length: 3\r\n\r\nab"}) {
        Client c("");
        const auto id = c.get();
        if (!part.empty()) c.receive(part);
        c.http->receive_end();
        BOOST_TEST(c.taken.all[id].ends == 0U, part);
    }
    Client open("");
    const auto id = open.get();
    open.receive(kOkHead + "\r\nab");
    BOOST_TEST(open.taken.all[id].ends == 0U);
    open.http->receive_end();
    BOOST_TEST(open.taken.all[id].ends == 1U);
    BOOST_TEST(open.taken.all[id].content == "ab");
}

BOOST_AUTO_TEST_CASE(a_request_that_is_cancelled_from_within_gets_no_more) {
    Client head("");
    head.taken.cancels_at_head = head.http.get();
    const auto first = head.get();
    head.receive(kOkHead + "Content-Length: 3\r\n\r\nabc");
    BOOST_TEST(head.taken.all[first].heads == 1U);
    BOOST_TEST(head.taken.all[first].parts == 0U);
    BOOST_TEST(head.taken.all[first].ends == 0U);
    head.sent();
    BOOST_TEST(head.http->is_over());
    Client content("");
    content.taken.cancels_at_content = content.http.get();
    const auto second = content.get();
    content.receive(kOkHead + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
    BOOST_TEST(content.taken.all[second].content == "a");
    BOOST_TEST(content.taken.all[second].ends == 0U);
}

BOOST_AUTO_TEST_CASE(a_head_above_the_limit_fails_the_request) {
    const std::string filler(2000, 'x');
    Client one("");
    const auto id = one.get();
    one.receive("HTTP/1.1 200 OK\r\nX: " + filler + "\r\n\r\n");
    BOOST_TEST(one.taken.all[id].failures == 1U);
    BOOST_TEST(one.http->why() == "HTTP/1.1: a head of more than 1024 bytes");
    BOOST_TEST(one.taken.all[id].why == one.http->why());
    Client two("h2");
    const auto stream = two.get();
    two.sent();
    two.receive(http2_frame(NGHTTP2_SETTINGS, 0, 0, {}));
    // 200; x: 2000 times x, as a literal without an index
    Bytes head = bytes_of_text("\x88");
    head = head + Bytes{0, 1, 'x', 0x7f, 0xd1, 0x0e} + bytes_of_text(filler);
    two.receive(http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream, head));
    BOOST_TEST(two.taken.all[stream].failures == 1U);
    BOOST_TEST(two.taken.all[stream].why == "HTTP/2: a head of more than 1024 bytes");
    BOOST_TEST(two.taken.all[stream].heads == 0U);
}

BOOST_AUTO_TEST_CASE(all_heads_of_a_response_have_one_limit) {
    Client c("");
    const auto id = c.get();
    const std::string hint = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    for (std::size_t sent = hint.size(); sent <= limits().head_bytes; sent += hint.size()) {
        c.receive(hint);
        BOOST_TEST(c.taken.all[id].failures == 0U);
    }
    c.receive(hint);
    BOOST_TEST(c.taken.all[id].failures == 1U);
    BOOST_TEST(c.taken.all[id].heads == 0U);
    BOOST_TEST(c.http->why() == "HTTP/1.1: a head of more than 1024 bytes");
}

BOOST_AUTO_TEST_CASE(chunk_heads_and_trailers_have_a_limit) {
    const std::string part(100, 'x');
    for (const std::string begin : {"3;", "3\r\nabc\r\n0\r\n"}) {
        Client c("");
        const auto id = c.get();
        c.receive(kOkHead + "Transfer-Encoding: chunked\r\n\r\n" + begin);
        for (int i = 0; i < 9; ++i)
            c.receive(part);
        BOOST_TEST(c.taken.all[id].failures == 0U);
        for (int i = 0; i < 9; ++i)
            c.receive(part);
        BOOST_TEST(c.taken.all[id].failures == 1U);
        BOOST_TEST(c.taken.all[id].ends == 0U);
        c.sent();
        BOOST_TEST(c.http->is_over());
        BOOST_TEST(c.http->why() == "HTTP/1.1: a chunk's head is too long");
    }
}

BOOST_AUTO_TEST_CASE(a_chunk_may_be_larger_than_a_head) {
    Client c("");
    const auto id = c.get();
    c.receive(kOkHead + "Transfer-Encoding: chunked\r\n\r\n2000\r\n" + std::string(0x2000, 'x'));
    c.receive("\r\n0\r\n\r\n");
    BOOST_TEST(c.taken.all[id].content.size() == 0x2000U);
    BOOST_TEST(c.taken.all[id].ends == 1U);
}

// The server speaks something else: our error is sent, and nothing more comes.
BOOST_AUTO_TEST_CASE(each_request_ends_once_when_http2_breaks) {
    for (const bool is_cancelled : {false, true}) {
        Client c("h2");
        c.sent();
        c.receive(http2_frame(NGHTTP2_SETTINGS, 0, 0, {}));
        const auto first = c.get(), second = c.get();
        c.sent();
        if (is_cancelled) c.http->cancel(first);
        c.receive("HTTP/1.1 400 Bad Request\r\n\r\n");
        const auto third = c.http->room() > 0 ? c.get() : 0;  // before the error was sent
        c.sent();
        BOOST_TEST(c.http->is_over());
        BOOST_TEST(c.taken.all[first].failures == (is_cancelled ? 0U : 1U));
        BOOST_TEST(c.taken.all[second].failures == 1U);
        if (third != 0) BOOST_TEST(c.taken.all[third].failures == 1U);
        BOOST_TEST(c.taken.all[second].ends == 0U);
        c.sent();
        BOOST_TEST(c.taken.all[second].failures == 1U);
    }
}

// More than the initial window of HTTP/2: our SETTINGS make it larger, and no WINDOW_UPDATE is sent.
BOOST_AUTO_TEST_CASE(a_large_response_over_http2_is_read_whole) {
    Client c("h2");
    const auto id = c.get();
    const std::string sent = c.sent();
    const std::string window("\x00\x04\x00\x10\x00\x00", 6);  // INITIAL_WINDOW_SIZE 2^20
    BOOST_TEST(sent.find(window) != std::string::npos);
    c.receive(http2_frame(NGHTTP2_SETTINGS, 0, 0, {}));
    c.receive(http2_frame(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, {}));
    const Bytes interim = bytes_of_text(
        "\x08\x03"
        "103");  // :status 103
    c.receive(http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, id, interim));
    BOOST_TEST(c.taken.all[id].heads == 0U);
    // 200; etag: v1 (index 34 of the static table)
    const Bytes head = bytes_of_text("\x88\x0f\x13\x02v1");
    c.receive(http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, id, head));
    BOOST_TEST(c.taken.all[id].head.find("etag") == "v1");
    constexpr std::size_t kFrame = 16'000, kFrames = 60;
    for (std::size_t i = 0; i < kFrames; ++i)
        c.receive(http2_frame(NGHTTP2_DATA, i + 1 == kFrames ? NGHTTP2_FLAG_END_STREAM : 0, id,
                              Bytes(kFrame, 'x')));
    BOOST_TEST(c.taken.all[id].content.size() == kFrame * kFrames);
    BOOST_TEST(c.taken.all[id].heads == 1U);
    BOOST_TEST(c.taken.all[id].ends == 1U);
    BOOST_TEST(c.taken.all[id].failures == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
