// JSON-RPC over HTTP: what is let in, what is refused, and that others are served during that time.
#include <sys/stat.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "control/api/http/handshake_limits.h"
#include "control/api/http/http_access.h"
#include "control/api/http/http_server.h"
#include "control/api/login/login.h"
#include "control/api/login/password.h"
#include "control/api/rpc/control_socket.h"
#include "control/api/rpc/rpc_server.h"
#include "dataplane/base/clock.h"
#include "support/temp_folder.h"

namespace json = boost::json;
using namespace steer;
using namespace steer::ops;
using boost::asio::ip::tcp;

namespace {

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
// Of "the-token-of-alice", by sha256sum.
constexpr std::string_view kAlice = "the-token-of-alice";

constexpr std::array<page::PageFile, 2> kFiles{{
    {"/index.html", "text/html; charset=utf-8", "\"1\"", "<!doctype html><title>x</title>"},
    {"/main.js", "text/javascript; charset=utf-8", "\"2\"", "export const x = 1;"},
}};

IpAddress loopback() {
    return *IpAddress::parse("127.0.0.1");
}

config::HttpToken token_in(const test::TempFolder& folder, const std::string& name,
                           std::string_view secret, AccessRole role) {
    const std::string file = (folder.path / name).string();
    std::ofstream(file) << secret << "\n";
    ::chmod(file.c_str(), S_IRUSR | S_IWUSR);
    return {.name = name, .token_file = file, .role = role};
}

// Tries of passwords come back with time.
class StillClock final : public Clock {
  public:
    Now now() override { return {.ms = 1'000'000}; }
};

struct HttpWorld {
    HttpWorld() : rpc(methods), work(io.get_executor()) {
        methods.add({.name = "status",
                     .help = "Looks.",
                     .changes = Changes::nothing(),
                     .piece = Piece::small(),
                     .run = [](const Arguments&) -> RpcResult {
                         return json::value{{"up", true}};
                     }});
        methods.add({.name = "change",
                     .help = "Changes.",
                     .changes = Changes::always(),
                     .piece = Piece::small(),
                     .run = [](const Arguments&) -> RpcResult { return json::value("done"); }});
        subscriptions->add_methods(methods);
        config::RpcServer settings{.listen = {loopback(), 0}};
        settings.tokens = {token_in(folder, "alice", kAlice, AccessRole::admin),
                           token_in(folder, "reader", kSecret, AccessRole::read)};
        settings.hosts = {"dns1.example"};
        settings.origins = {"https://noc.example"};
        server = std::make_unique<RpcServer>(
            io, rpc, clock,
            RpcServer::Options{.settings = settings,
                               .audit = [this](const std::string& line) { audit.push_back(line); },
                               .subscriptions = subscriptions,
                               .files = kFiles,
                               .login = login});
        BOOST_REQUIRE(login->load(folder.path.string()));
        const auto listening = server->listen();
        BOOST_REQUIRE_MESSAGE(listening.has_value(), (listening ? "" : listening.error().text));
        port = server->http().port();
        thread = std::thread([this] { io.run(); });
    }
    ~HttpWorld() {
        boost::asio::post(io, [this] { server->close(); });
        work.reset();
        thread.join();
    }

    test::TempFolder folder;
    boost::asio::io_context io;
    StillClock clock;
    Methods methods;
    JsonRpc rpc;
    std::vector<std::string> audit;  // read when an answer behind it has come
    std::shared_ptr<Subscriptions> subscriptions = std::make_shared<Subscriptions>(io);
    std::shared_ptr<Login> login = std::make_shared<Login>(io, clock);
    std::unique_ptr<RpcServer> server;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
    std::uint16_t port = 0;
    std::thread thread;
};

struct HttpClientEnd {
    explicit HttpClientEnd(const HttpWorld& world) : socket(io) {
        socket.connect({boost::asio::ip::address_v4::loopback(), world.port});
    }
    void send(std::string_view bytes) {
        boost::system::error_code ignored;
        boost::asio::write(socket, boost::asio::buffer(bytes), ignored);
    }
    // A head, and a body of its Content-Length. Empty: the connection ended.
    std::string response() {
        boost::system::error_code error;
        const auto n =
            boost::asio::read_until(socket, boost::asio::dynamic_buffer(buffer), "\r\n\r\n", error);
        if (error) return {};
        std::string text = buffer.substr(0, n);
        buffer.erase(0, n);
        const auto at = text.find("content-length: ");
        const std::size_t length = at == std::string::npos ? 0 : std::stoul(text.substr(at + 16));
        if (buffer.size() < length) {
            boost::asio::read(socket, boost::asio::dynamic_buffer(buffer),
                              boost::asio::transfer_exactly(length - buffer.size()), error);
        }
        text += buffer.substr(0, length);
        buffer.erase(0, length);
        return text;
    }
    std::string line() {
        boost::system::error_code error;
        const auto n =
            boost::asio::read_until(socket, boost::asio::dynamic_buffer(buffer), '\n', error);
        if (error) return {};
        std::string text = buffer.substr(0, n - 1);
        buffer.erase(0, n);
        return text;
    }
    boost::asio::io_context io;
    tcp::socket socket;
    std::string buffer;
};

std::string post(std::string_view body, const std::string& fields = {},
                 std::string_view secret = kAlice) {
    std::string text = "POST /rpc HTTP/1.1\r\n";
    if (fields.find("Host:") == std::string::npos) text += "Host: 127.0.0.1\r\n";
    if (fields.find("Content-Type:") == std::string::npos)
        text += "Content-Type: application/json\r\n";
    if (!secret.empty()) text += "Authorization: Bearer " + std::string(secret) + "\r\n";
    return text + fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
}

std::string call(std::string_view method) {
    return R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method) + "\"}";
}

std::string get(const std::string& path, const std::string& fields = "Host: localhost:9154\r\n") {
    return "GET " + path + " HTTP/1.1\r\n" + fields + "\r\n";
}

std::string answer_of(const HttpWorld& world, const std::string& request) {
    HttpClientEnd client(world);
    client.send(request);
    return client.response();
}

unsigned status_of_text(const std::string& response) {
    return response.starts_with("HTTP/1.1 ")
               ? static_cast<unsigned>(std::stoul(response.substr(9, 3)))
               : 0;
}

unsigned status(const HttpWorld& world, const std::string& request) {
    return status_of_text(answer_of(world, request));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rpc_server)

BOOST_AUTO_TEST_CASE(a_request_with_a_token_is_answered_and_the_connection_stays) {
    HttpWorld world;
    HttpClientEnd client(world);
    for (int i = 0; i < 2; ++i) {
        client.send(post(call("status")));
        const auto received = client.response();
        BOOST_TEST(status_of_text(received) == 200U);
        BOOST_TEST(received.ends_with(R"({"jsonrpc":"2.0","id":1,"result":{"up":true}})"));
    }
    client.send(post(R"({"jsonrpc":"2.0","method":"status"})"));
    BOOST_TEST(status_of_text(client.response()) == 204U);
    client.send(post("[1"));
    BOOST_TEST(client.response().find("-32700") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
    HttpWorld world;
    HttpClientEnd client(world);
    client.send(post(call("status")) + post(call("nope")));
    BOOST_TEST(client.response().find("\"up\":true") != std::string::npos);
    BOOST_TEST(client.response().find("-32601") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_response_has_the_fields_that_protect_the_page) {
    HttpWorld world;
    for (const auto& request : {get("/"), get("/nope"), post(call("status")), get("/rpc"),
                                std::string("nonsense\r\n\r\n")}) {
        const auto received = answer_of(world, request);
        for (const char* const field : {"content-security-policy: default-src 'self'",
                                        "frame-ancestors 'none'", "x-content-type-options: nosniff",
                                        "referrer-policy: no-referrer", "server: steerdnsd/"})
            BOOST_TEST(received.find(field) != std::string::npos, request << received);
    }
}

BOOST_AUTO_TEST_CASE(no_token_and_wrong_tokens_are_refused_and_logged) {
    HttpWorld world;
    const auto missing = answer_of(world, post(call("status"), {}, {}));
    BOOST_TEST(status_of_text(missing) == 401U);
    BOOST_TEST(missing.find("www-authenticate: Bearer") != std::string::npos);
    for (const char* const wrong : {"x", "the-token-of-alicf", "the-token-of-alice1", "\"\""})
        BOOST_TEST(status(world, post(call("status"), {}, wrong)) == 401U);
    BOOST_TEST(status(world, post(call("status"), "Authorization: Basic YTpi\r\n", {})) == 401U);
    BOOST_TEST(status(world, post(call("status"))) == 200U);
    BOOST_REQUIRE(!world.audit.empty());
    BOOST_TEST(world.audit.front() == "http request of 127.0.0.1: refused: wrong token");
}

BOOST_AUTO_TEST_CASE(too_many_wrong_tokens_block_the_address) {
    HttpWorld world;
    for (unsigned i = 0; i < kMostWrongTokens; ++i)
        BOOST_TEST(status(world, post(call("status"), {}, "wrong")) == 401U);
    const auto blocked = answer_of(world, post(call("status")));
    BOOST_TEST(status_of_text(blocked) == 429U);
    BOOST_TEST(blocked.find("retry-after: 60") != std::string::npos);
    BOOST_TEST(status(world, get("/")) == 200U);  // the page needs no token
}

BOOST_AUTO_TEST_CASE(a_token_has_its_role_and_its_name_in_the_log) {
    HttpWorld world;
    const auto refused = answer_of(world, post(call("change"), {}, kSecret));
    BOOST_TEST(refused.find("change needs the role \\\"operate\\\"") != std::string::npos, refused);
    BOOST_TEST(answer_of(world, post(call("change"))).find("\"done\"") != std::string::npos);
    BOOST_REQUIRE(world.audit.size() == 2U);
    BOOST_TEST(world.audit[0].starts_with(
        "control request change of token reader at 127.0.0.1: refused: "));
    BOOST_TEST(world.audit[1] == "control request change of token alice at 127.0.0.1: done");
}

BOOST_AUTO_TEST_CASE(a_foreign_host_is_refused) {
    HttpWorld world;
    const auto with = [&](const std::string& host) {
        return status(world, post(call("status"), "Host: " + host + "\r\n"));
    };
    for (const char* const good : {"127.0.0.1:9154", "localhost", "LOCALHOST:1", "[::1]:9154",
                                   "192.0.2.7", "dns1.example:9"})
        BOOST_TEST(with(good) == 200U, good);
    for (const char* const bad :
         {"evil.example", "dns1.example.evil.example", "127.0.0.1.evil.example", "", "[::1",
          "[::1]x", "localhost@evil.example"})
        BOOST_TEST(with(bad) == 421U, bad);
    BOOST_TEST(status(world, get("/", "")) == 400U);
    BOOST_TEST(status(world, get("/", "Host: localhost\r\nHost: localhost\r\n")) == 400U);
}

BOOST_AUTO_TEST_CASE(a_foreign_origin_is_refused) {
    HttpWorld world;
    const auto with = [&](const std::string& origin) {
        return status(world, post(call("status"), "Origin: " + origin + "\r\n"));
    };
    BOOST_TEST(with("http://127.0.0.1") == 200U);
    BOOST_TEST(with("https://noc.example") == 200U);
    for (const char* const bad : {"null", "https://evil.example", "https://127.0.0.1",
                                  "http://127.0.0.1.evil.example", "https://noc.example.evil"})
        BOOST_TEST(with(bad) == 403U, bad);
    BOOST_TEST(status(world, post(call("status"),
                                  "Origin: http://127.0.0.1\r\nOrigin: http://127.0.0.1\r\n")) ==
               403U);
}

BOOST_AUTO_TEST_CASE(an_accepted_origin_may_ask_before_it_sends) {
    HttpWorld world;
    const auto received = answer_of(world,
                                    "OPTIONS /rpc HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: "
                                    "https://noc.example\r\nAccess-Control-Request-Method: "
                                    "POST\r\n\r\n");
    BOOST_TEST(status_of_text(received) == 204U);
    BOOST_TEST(received.find("access-control-allow-origin: https://noc.example\r\n") !=
               std::string::npos);
    BOOST_TEST(answer_of(world, post(call("status"))).find("access-control") == std::string::npos);
}

// What another site's form can send.
BOOST_AUTO_TEST_CASE(content_that_is_not_declared_as_json_is_refused) {
    HttpWorld world;
    for (const char* const type : {"text/plain", "application/x-www-form-urlencoded",
                                   "multipart/form-data; boundary=x", "application/jsonx", ""})
        BOOST_TEST(status(world, post(call("status"),
                                      "Content-Type: " + std::string(type) + "\r\n")) == 415U,
                   type);
    BOOST_TEST(status(world, post(call("status"),
                                  "Content-Type: Application/JSON ; charset=utf-8\r\n")) == 200U);
}

BOOST_AUTO_TEST_CASE(wrong_methods_are_refused_with_the_right_one) {
    HttpWorld world;
    const auto rpc = answer_of(world, get("/rpc"));
    BOOST_TEST(status_of_text(rpc) == 405U);
    BOOST_TEST(rpc.find("allow: POST\r\n") != std::string::npos);
    BOOST_TEST(status(world, "DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n") == 405U);
    BOOST_TEST(status(world,
                      "POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                      "0\r\n\r\n") == 405U);
    BOOST_TEST(status(world, "OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n") == 405U);
}

BOOST_AUTO_TEST_CASE(files_are_found_by_their_exact_name_only) {
    HttpWorld world;
    const auto page = answer_of(world, get("/"));
    BOOST_TEST(page.ends_with("<title>x</title>"));
    BOOST_TEST(page.find("content-type: text/html; charset=utf-8\r\n") != std::string::npos);
    BOOST_TEST(answer_of(world, get("/main.js?v=1")).ends_with("export const x = 1;"));
    BOOST_TEST(status(world, get("/main.js", "Host: localhost\r\nIf-None-Match: \"2\"\r\n")) ==
               304U);
    for (const char* const bad :
         {"/../etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd", "/main.js/", "/./main.js",
          "/MAIN.JS", "/main.js%00", "/index.html/../main.js", "/%2e%2e/main.js"})
        BOOST_TEST(status(world, get(bad)) == 404U, bad);
    BOOST_TEST(status(world, get("http://localhost/main.js")) == 400U);
    const auto head = answer_of(world, "HEAD /main.js HTTP/1.0\r\nHost: localhost\r\n\r\n");
    BOOST_TEST(head.find("content-length: 19\r\n") != std::string::npos);
    BOOST_TEST(head.ends_with("\r\n\r\n"));
}

BOOST_AUTO_TEST_CASE(requests_that_are_too_long_are_refused) {
    HttpWorld world;
    BOOST_TEST(status(world, post(std::string(kMaxControlLine + 1, ' '))) == 413U);
    const std::string long_one(kMaxUnknownContent + 1, ' ');
    BOOST_TEST(status(world, post(long_one, {}, {})) == 413U);
    BOOST_TEST(status(world, post(long_one, {}, "wrong")) == 401U);
    BOOST_TEST(status(world, post(long_one + call("status"))) == 200U);
    BOOST_TEST(status(world, get("/", "Host: localhost\r\nX: " + std::string(9'000, 'x') +
                                          "\r\n")) == 431U);
    BOOST_TEST(status(world,
                      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
                      "chunked\r\n\r\n") == 411U);
    BOOST_TEST(status(world, std::string(100, '\x16') + "\r\n\r\n") == 400U);
}

BOOST_AUTO_TEST_CASE(content_is_limited_on_each_request_of_a_connection) {
    HttpWorld world;
    HttpClientEnd client(world);
    client.send(post(std::string(kMaxUnknownContent, ' ') + call("status")));
    BOOST_TEST(status_of_text(client.response()) == 200U);
    client.send(post(std::string(kMaxUnknownContent, ' '), {}, {}));
    BOOST_TEST(status_of_text(client.response()) == 401U);
    client.send(post(std::string(kMaxUnknownContent + 1, ' '), {}, {}));  // it was let in before
    BOOST_TEST(status_of_text(client.response()) == 413U);
    BOOST_TEST(client.response().empty());
}

BOOST_AUTO_TEST_CASE(a_request_of_doubtful_length_is_refused) {
    HttpWorld world;
    for (const char* coding : {"xchunked", "gzip, chunked", "chunked, gzip", "identity"}) {
        BOOST_TEST_CONTEXT(coding)
        BOOST_TEST(status(world, "POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: " +
                                     std::string(coding) + "\r\nContent-Length: 2\r\n\r\n{}") ==
                   400U);
    }
}

BOOST_AUTO_TEST_CASE(events_are_streamed_to_who_has_a_token) {
    HttpWorld world;
    const std::string fields =
        "Host: localhost\r\nAuthorization: Bearer " + std::string(kSecret) + "\r\n";
    BOOST_TEST(status(world, get("/events?topics=events")) == 401U);
    BOOST_TEST(answer_of(world, get("/events", fields)).find("\"topics\" is missing") !=
               std::string::npos);
    BOOST_TEST(status(world, get("/events?topics=weather", fields)) == 400U);
    BOOST_TEST(status(world, get("/events?topics=events&rate=0", fields)) == 400U);
    BOOST_TEST(status(world, get("/events?topics=events&%zz", fields)) == 400U);
    HttpClientEnd client(world);
    client.send(get("/events?topics=events,queries&kind=reload&rate=5", fields));
    const auto head = client.response();
    BOOST_TEST(status_of_text(head) == 200U);
    BOOST_TEST(head.find("content-type: text/event-stream\r\n") != std::string::npos);
    BOOST_TEST(client.line() == ": subscribed");
    BOOST_TEST(client.line() == "");
    world.subscriptions->publish(Topic::events, {.kind = "router"}, [] {
        return json::object{{"n", 1}};
    });
    world.subscriptions->publish(Topic::events, {.kind = "reload"}, [] {
        return json::object{{"n", 2}};
    });
    BOOST_TEST(client.line() ==
               R"(data: {"jsonrpc":"2.0","method":"events","params":{"subscription":1,"lost":0,)"
               R"("data":{"n":2}}})");
}

BOOST_AUTO_TEST_CASE(a_closed_stream_of_events_ends_its_subscriptions) {
    HttpWorld world;
    {
        HttpClientEnd client(world);
        client.send(get("/events?topics=events", "Host: localhost\r\nAuthorization: Bearer " +
                                                     std::string(kSecret) + "\r\n"));
        BOOST_TEST(status_of_text(client.response()) == 200U);
        BOOST_TEST(world.subscriptions->wants(Topic::events));
    }
    while (world.subscriptions->wants(Topic::events))
        std::this_thread::yield();
}

// 1,000 connections that say nothing, or half a request.
BOOST_AUTO_TEST_CASE(a_crowd_of_slow_clients_keeps_no_operator_out) {
    HttpWorld world;
    HttpClientEnd operator_end(world);
    operator_end.send(post(call("status")));
    BOOST_REQUIRE(status_of_text(operator_end.response()) == 200U);
    std::vector<std::unique_ptr<HttpClientEnd>> crowd;
    constexpr int kMany = 400;  // more than kRpcSessions; descriptors of the test are limited
    for (int i = 0; i < kMany; ++i) {
        crowd.push_back(std::make_unique<HttpClientEnd>(world));
        if (i % 2 == 0) crowd.back()->send("POST /rpc HTTP/1.1\r\nHost: l");
    }
    BOOST_TEST(status(world, post(call("status"))) == 200U);
    operator_end.send(post(call("status")));  // it was let in, so others made room
    BOOST_TEST(status_of_text(operator_end.response()) == 200U);
}

namespace {

// Runs `what` on the server's thread.
template <class What>
void on_thread(HttpWorld& world, What what) {
    std::promise<void> done;
    boost::asio::post(world.io, [&] {
        what();
        done.set_value();
    });
    done.get_future().wait();
}

std::vector<Error> renewed(HttpWorld& world, const config::RpcServer* settings) {
    std::vector<Error> wrong;
    on_thread(world, [&] { wrong = world.server->renew(settings); });
    return wrong;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_changed_token_file_is_taken_up_and_ends_streams_of_the_old_token) {
    HttpWorld world;
    HttpClientEnd stream(world);
    stream.send(get("/events?topics=events",
                    "Host: localhost\r\nAuthorization: Bearer " + std::string(kSecret) + "\r\n"));
    BOOST_REQUIRE(status_of_text(stream.response()) == 200U);
    BOOST_TEST(renewed(world, nullptr).empty());
    BOOST_TEST(world.subscriptions->wants(Topic::events));
    token_in(world.folder, "reader", "another-token-of-the-reader", AccessRole::read);
    BOOST_TEST(renewed(world, nullptr).empty());
    BOOST_TEST(status(world, post(call("status"), {}, kSecret)) == 401U);
    BOOST_TEST(status(world, post(call("status"), {}, "another-token-of-the-reader")) == 200U);
    BOOST_TEST(status(world, post(call("status"))) == 200U);
    BOOST_TEST(stream.line() == ": subscribed");
    BOOST_TEST(stream.line() == "");
    BOOST_TEST(stream.line() == "");  // it ended
    BOOST_TEST(!world.subscriptions->wants(Topic::events));
}

BOOST_AUTO_TEST_CASE(other_settings_change_roles_hosts_and_tokens) {
    HttpWorld world;
    config::RpcServer settings{.listen = {loopback(), 1}};
    settings.tokens = {token_in(world.folder, "alice", kAlice, AccessRole::read)};
    settings.hosts = {"dns2.example"};
    BOOST_TEST(renewed(world, &settings).empty());
    BOOST_TEST(status(world, post(call("status"), {}, kSecret)) == 401U);
    BOOST_TEST(answer_of(world, post(call("change"))).find("needs the role") != std::string::npos);
    BOOST_TEST(status(world, post(call("status"), "Host: dns2.example\r\n")) == 200U);
    BOOST_TEST(status(world, post(call("status"), "Host: dns1.example\r\n")) == 421U);
}

BOOST_AUTO_TEST_CASE(
    a_token_file_that_cannot_be_read_any_more_keeps_its_token_and_a_missing_one_does_not) {
    HttpWorld world;
    const auto file = world.folder.path / "reader";
    ::chmod(file.c_str(),
            S_IRUSR | S_IWUSR | S_IRGRP);  // refused, as a file of root is for the daemon's user
    const auto wrong = renewed(world, nullptr);
    BOOST_REQUIRE(wrong.size() == 1U);
    BOOST_TEST(wrong[0].text.ends_with("; the old token stays in force"), wrong[0].text);
    BOOST_TEST(status(world, post(call("status"), {}, kSecret)) == 200U);
    std::filesystem::remove(file);
    BOOST_TEST(renewed(world, nullptr).size() == 1U);
    BOOST_TEST(status(world, post(call("status"), {}, kSecret)) == 401U);
}

BOOST_AUTO_TEST_CASE(handshakes_are_limited_by_address_and_in_total) {
    HandshakeLimits limits;
    const auto start = HandshakeLimits::Clock::time_point{} + std::chrono::hours(1);
    const auto taken = [&](const char* address, auto now, int tries) {
        int n = 0;
        for (int i = 0; i < tries; ++i)
            n += limits.take(*IpAddress::parse(address), now) ? 1 : 0;
        return n;
    };
    BOOST_TEST(taken("192.0.2.1", start, 100) == 20);
    BOOST_TEST(taken("192.0.2.1", start + std::chrono::milliseconds(500), 100) == 10);
    BOOST_TEST(taken("2001:db8::1", start + std::chrono::milliseconds(500), 15) == 15);
    BOOST_TEST(taken("2001:db8::2", start + std::chrono::milliseconds(500), 15) == 5);  // one /64
    const auto later = start + std::chrono::seconds(10);
    int all = 0;
    for (int i = 0; i < 20; ++i)
        all += taken(("198.51.100." + std::to_string(i)).c_str(), later, 10);
    BOOST_TEST(all == 100);
    BOOST_TEST(taken("192.0.2.1", later, 1) == 0);
    limits.note_known(*IpAddress::parse("192.0.2.1"), later);
    BOOST_TEST(taken("192.0.2.1", later, 100) == 20);  // crowds elsewhere keep no operator out
    BOOST_TEST(taken("192.0.2.1", later + std::chrono::seconds(2), 200) == 100);
    BOOST_TEST(!limits.is_known(*IpAddress::parse("192.0.2.1"), later + kKnownTime));
}

BOOST_AUTO_TEST_CASE(refusals_are_counted_by_reason) {
    HttpWorld world;
    status(world, post(call("status"), "Host: evil.example\r\n"));
    status(world, get("/rpc"));
    status(world, get("/nope"));
    status(world, post(call("status"), {}, "wrong"));
    status(world, "nonsense\r\n\r\n");
    on_thread(world, [&] {
        const auto& counts = world.server->http().refusals().counts();
        BOOST_TEST(counts[static_cast<std::size_t>(HttpRefusal::host)] == 1U);
        BOOST_TEST(counts[static_cast<std::size_t>(HttpRefusal::unsuitable)] == 2U);
        BOOST_TEST(counts[static_cast<std::size_t>(HttpRefusal::token)] == 1U);
        BOOST_TEST(counts[static_cast<std::size_t>(HttpRefusal::malformed)] == 1U);
    });
}

BOOST_AUTO_TEST_CASE(token_files_of_others_and_short_tokens_are_refused) {
    test::TempFolder folder;
    const auto why = [&](std::string_view secret, mode_t mode) {
        config::RpcServer settings;
        settings.tokens = {token_in(folder, "t", secret, AccessRole::read)};
        ::chmod(settings.tokens[0].token_file.c_str(), mode);
        const auto access = HttpAccess::load(settings);
        return access ? std::string{} : access.error().text;
    };
    BOOST_TEST(why(kSecret, 0600) == "");
    BOOST_TEST(why(kSecret, 0640).find("may be used by other users") != std::string::npos);
    BOOST_TEST(why("short", 0600).find("has a token of 5 bytes") != std::string::npos);
    BOOST_TEST(why(std::string(600, 'x'), 0600).find("expected 16 to 512") != std::string::npos);
    BOOST_TEST(why("with a blank in the middle", 0600).find("blanks") != std::string::npos);
    BOOST_TEST(why("\xef\xbb\xbf" + std::string(512, 'x') + "\r", 0600) == "");
    config::RpcServer marked;
    marked.tokens = {
        token_in(folder, "marked", "\xef\xbb\xbf" + std::string(kSecret), AccessRole::read)};
    const auto access = HttpAccess::load(marked);
    BOOST_REQUIRE(access);
    BOOST_TEST(access->find_token("Bearer " + std::string(kSecret)).has_value());
}

BOOST_AUTO_TEST_CASE(a_token_may_be_given_by_its_hash) {
    config::RpcServer settings;
    settings.tokens = {{.name = "hashed",
                        .hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                        .role = AccessRole::operate}};
    const auto access = HttpAccess::load(settings);
    BOOST_REQUIRE(access);
    const auto user = access->find_token("Bearer test");
    BOOST_REQUIRE(user);
    BOOST_TEST(user->name == "token hashed");
    BOOST_TEST(!access->find_token("Bearer test2").has_value());
    BOOST_TEST(!access->find_token("test").has_value());
}

BOOST_AUTO_TEST_CASE(two_tokens_with_one_secret_are_refused) {
    test::TempFolder folder;
    config::RpcServer settings;
    settings.tokens = {token_in(folder, "wall", kSecret, AccessRole::read),
                       token_in(folder, "noc", "0123456789abcdef0123", AccessRole::admin)};
    auto access = *HttpAccess::load(settings);
    // A file that changes later: the role of the secret does not grow.
    settings.tokens[1] = token_in(folder, "noc", kSecret, AccessRole::admin);
    std::vector<Error> wrong;
    access.renew(settings, wrong);
    BOOST_REQUIRE(wrong.size() == 1U);
    BOOST_TEST(wrong[0].text ==
               "token noc has the secret of token wall and is refused: make another with `openssl "
               "rand -hex 32`");
    const auto user = access.find_token("Bearer " + std::string(kSecret));
    BOOST_REQUIRE(user);
    BOOST_TEST(user->name == "token wall");
    BOOST_TEST(!access.find_token("Bearer 0123456789abcdef0123").has_value());
    BOOST_TEST(!HttpAccess::load(settings));
}

BOOST_AUTO_TEST_CASE(addresses_of_one_ipv6_site_count_together_and_the_table_is_bounded) {
    auto access = *HttpAccess::load({});
    const auto now = HttpAccess::Clock::now();
    for (unsigned i = 0; i < kMostWrongTokens; ++i)
        access.note_wrong_token(*IpAddress::parse("2001:db8::" + std::to_string(i + 1)), now);
    BOOST_TEST(access.is_blocked(*IpAddress::parse("2001:db8::ffff"), now));
    BOOST_TEST(!access.is_blocked(*IpAddress::parse("2001:db8:0:1::1"), now));
    BOOST_TEST(!access.is_blocked(*IpAddress::parse("2001:db8::ffff"), now + kWrongTokensTime));
    for (unsigned i = 0; i < 2 * kMaxWatchedAddresses; ++i) {
        const std::array<std::uint8_t, 4> four{10, static_cast<std::uint8_t>(i >> 16U),
                                               static_cast<std::uint8_t>(i >> 8U),
                                               static_cast<std::uint8_t>(i)};
        access.note_wrong_token(IpAddress::from_v4(four.data()), now);
    }
    BOOST_TEST(!access.is_blocked(loopback(), now));
}

// ---- people who sign in

namespace {

// Of the page's own requests.
const std::string kOwnPage =
    "X-SteerDNS: page\r\nOrigin: http://127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n";

std::string post_to(const std::string& path, const std::string& body, const std::string& fields) {
    return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
           fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// The field of a request; empty: no cookie was set.
std::string cookie_in(const std::string& response) {
    constexpr std::string_view kField = "set-cookie: ";
    const auto at = response.find(kField);
    if (at == std::string::npos) return {};
    const auto begin = at + kField.size();
    return "Cookie: other=1; " + response.substr(begin, response.find(';', begin) - begin) + "\r\n";
}

std::string signed_in(HttpWorld& world) {
    std::string link;
    on_thread(world, [&] { link = world.login->sessions().new_link(world.login->now_ms()); });
    const auto received =
        answer_of(world, post_to("/login", R"({"link":")" + link + "\"}", kOwnPage));
    BOOST_TEST(status_of_text(received) == 204U, received);
    return cookie_in(received);
}

void set_password(HttpWorld& world, const std::string& password) {
    BOOST_REQUIRE(save_password(world.folder.path.string(), *hash_of_password(password)));
    on_thread(world, [&] { BOOST_REQUIRE(world.login->load(world.folder.path.string())); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_link_gives_a_session_whose_cookie_scripts_and_other_sites_do_not_get) {
    HttpWorld world;
    std::string link;
    on_thread(world, [&] { link = world.login->sessions().new_link(world.login->now_ms()); });
    const std::string request = post_to("/login", R"({"link":")" + link + "\"}", kOwnPage);
    const auto first = answer_of(world, request);
    BOOST_TEST(first.find("set-cookie: __Host-steerdns=") != std::string::npos, first);
    BOOST_TEST(first.find("; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=43200\r\n") !=
               std::string::npos);
    const auto again = answer_of(world, request);
    BOOST_TEST(status_of_text(again) == 401U);
    BOOST_TEST(again.find("used already") != std::string::npos);
    const auto cookie = cookie_in(first);
    const auto changed = answer_of(world, post(call("change"), cookie + kOwnPage, {}));
    BOOST_TEST(changed.find("\"done\"") != std::string::npos, changed);
    BOOST_TEST(world.audit.back() == "control request change of session 1 at 127.0.0.1: done");
}

BOOST_AUTO_TEST_CASE(a_password_signs_in_and_logout_ends_the_session_and_its_stream) {
    HttpWorld world;
    BOOST_TEST(answer_of(world, get("/login")).find(R"({"password":"none"})") != std::string::npos);
    set_password(world, "a password");
    BOOST_TEST(answer_of(world, get("/login")).find(R"({"password":"set"})") != std::string::npos);
    const auto with = [&](const std::string& password) {
        return answer_of(world, post_to("/login", R"({"password":")" + password + "\"}", kOwnPage));
    };
    BOOST_TEST(status_of_text(with("wrong one")) == 401U);
    const auto cookie = cookie_in(with("a password"));
    HttpClientEnd stream(world);
    stream.send(get("/events?topics=events", "Host: 127.0.0.1\r\n" + cookie + kOwnPage));
    BOOST_REQUIRE(status_of_text(stream.response()) == 200U);
    const auto out = answer_of(world, post_to("/logout", "{}", cookie + kOwnPage));
    BOOST_TEST(status_of_text(out) == 204U);
    BOOST_TEST(out.find("set-cookie: __Host-steerdns=; ") != std::string::npos);
    BOOST_TEST(status(world, post(call("status"), cookie + kOwnPage, {})) == 401U);
    BOOST_TEST(stream.line() == ": subscribed");
    BOOST_TEST(stream.line() == "");
    BOOST_TEST(stream.line() == "");
    BOOST_TEST(!world.subscriptions->wants(Topic::events));
}

BOOST_AUTO_TEST_CASE(a_cookie_counts_only_with_requests_of_the_own_page) {
    HttpWorld world;
    const auto cookie = signed_in(world);
    const auto with = [&](const std::string& fields) {
        return status(world, post(call("status"), cookie + fields, {}));
    };
    BOOST_TEST(with(kOwnPage) == 200U);
    BOOST_TEST(with("X-SteerDNS: page\r\nOrigin: http://127.0.0.1\r\n") == 200U);
    BOOST_TEST(with("X-SteerDNS: page\r\nSec-Fetch-Site: same-origin\r\n") == 200U);
    BOOST_TEST(with("Origin: http://127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n") == 401U);
    BOOST_TEST(with("X-SteerDNS: page\r\n") == 401U);
    // A page of `origins` may send requests, but with a token of its own.
    BOOST_TEST(with("X-SteerDNS: page\r\nOrigin: https://noc.example\r\n") == 401U);
    for (const char* const site : {"same-site", "cross-site", "none"})
        BOOST_TEST(with("X-SteerDNS: page\r\nSec-Fetch-Site: " + std::string(site) + "\r\n") ==
                   401U);
    BOOST_TEST(with("X-SteerDNS: page\r\nOrigin: https://evil.example\r\n") == 403U);
    BOOST_TEST(status(world, post(call("status"),
                                  cookie + kOwnPage + "Content-Type: text/plain\r\n", {})) == 415U);
}

BOOST_AUTO_TEST_CASE(other_sites_can_neither_sign_a_browser_in_nor_out) {
    HttpWorld world;
    set_password(world, "a password");
    const std::string body = R"({"password":"a password"})";
    BOOST_TEST(status(world, post_to("/login", body, kOwnPage)) == 204U);
    for (const char* const fields :
         {"", "Origin: http://127.0.0.1\r\n", "X-SteerDNS: page\r\nSec-Fetch-Site: cross-site\r\n",
          "Origin: https://noc.example\r\nX-SteerDNS: page\r\n"})
        BOOST_TEST(status(world, post_to("/login", body, fields)) == 403U, fields);
    BOOST_TEST(status(world,
                      "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
                      "application/x-www-form-urlencoded\r\nContent-Length: 5\r\n\r\na=b%c") ==
               415U);
    BOOST_TEST(status(world, get("/logout")) == 405U);
    const auto cookie = signed_in(world);
    status(world, post_to("/logout", "{}", cookie));
    BOOST_TEST(status(world, post(call("status"), cookie + kOwnPage, {})) == 200U);
}

BOOST_AUTO_TEST_CASE(a_cookie_of_another_box_is_refused_without_a_trace) {
    HttpWorld world;
    const std::string foreign = "Cookie: __Host-steerdns=" + std::string(43, 'A') + "\r\n";
    for (unsigned i = 0; i < 3 * kMostWrongTokens; ++i)
        BOOST_TEST(status(world, post(call("status"), foreign + kOwnPage, {})) == 401U);
    BOOST_TEST(world.audit.empty());
    BOOST_TEST(status(world, post(call("status"))) == 200U);  // the address is not blocked
    for (const char* const odd : {"Cookie: \r\n", "Cookie: ;;=;__Host-steerdns\r\n",
                                  "Cookie: __Host-steerdns=\r\n", "Cookie: __Host-steerdns2=x\r\n"})
        BOOST_TEST(status(world, post(call("status"), odd + kOwnPage, {})) == 401U);
}

BOOST_AUTO_TEST_CASE(an_address_with_wrong_tokens_keeps_its_session) {
    HttpWorld world;
    const auto cookie = signed_in(world);
    for (unsigned i = 0; i < kMostWrongTokens; ++i)
        status(world, post(call("status"), {}, "wrong"));
    BOOST_TEST(status(world, post(call("status"))) == 429U);
    BOOST_TEST(status(world, post(call("status"), cookie + kOwnPage, {})) == 200U);
    signed_in(world);
}

BOOST_AUTO_TEST_CASE(passwords_can_be_tried_five_times_and_then_the_connection_ends) {
    HttpWorld world;
    set_password(world, "a password");
    HttpClientEnd client(world);
    for (unsigned i = 0; i < 5; ++i) {
        client.send(post_to("/login", R"({"password":"wrong one"})", kOwnPage));
        BOOST_TEST(status_of_text(client.response()) == 401U);
    }
    client.send(post_to("/login", R"({"password":"a password"})", kOwnPage));
    const auto refused = client.response();
    BOOST_TEST(status_of_text(refused) == 429U);
    BOOST_TEST(refused.find("retry-after: ") != std::string::npos);
    BOOST_TEST(client.response().empty());
    signed_in(world);  // a link works all the same
    for (const char* const body : {"", "[", "[]", "{}", R"({"password":7})", R"({"link":[]})"})
        BOOST_TEST(status(world, post_to("/login", body, kOwnPage)) >= 401U);
}

BOOST_AUTO_TEST_SUITE_END()
