// JSON-RPC lines and the control socket that carries them, asked by the same client that steerctl
// is made of.
#define BOOST_TEST_MODULE ops
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client.h"
#include "control/api/rpc/audit.h"
#include "control/api/rpc/control_socket.h"
#include "control/api/rpc/json_rpc.h"
#include "support/temp_folder.h"

namespace asio = boost::asio;
namespace json = boost::json;
namespace fs = std::filesystem;
using asio::local::stream_protocol;
using steer::ops::ControlSocket;
using steer::ops::JsonRpc;
using steer::ops::RpcCode;
using steer::ops::RpcError;
using steer::ops::RpcResult;

namespace {

using steer::ops::Arguments;
using steer::ops::Changes;
using steer::ops::Methods;
using steer::ops::ParamType;
using steer::ops::Piece;

void add_some(Methods& methods) {
    methods.add({.name = "echo",
                 .help = "Answers with its parameters.",
                 .changes = Changes::always(),
                 .piece = Piece::small(),
                 .parameters = {{"a", ParamType::number, "any number"},
                                {"password", ParamType::text, "any text"}},
                 .run = [](const Arguments& asked) -> RpcResult { return asked.json(); }});
    methods.add({.name = "picky",
                 .help = "Refuses.",
                 .changes = Changes::always(),
                 .piece = Piece::small(),
                 .run = [](const Arguments&) -> RpcResult {
                     return RpcError{RpcCode::invalid_params, "a name is missing"};
                 }});
    methods.add(
        {.name = "broken",
         .help = "Fails.",
         .changes = Changes::nothing(),
         .piece = Piece::small(),
         .run = [](const Arguments&) -> RpcResult { throw std::runtime_error("disk on fire"); }});
    methods.add({.name = "status",
                 .help = "Shows a version.",
                 .changes = Changes::nothing(),
                 .piece = Piece::small(),
                 .run = [](const Arguments&) -> RpcResult {
                     return json::object{{"version", "9.9"}, {"uptime_s", 61}};
                 }});
}

// Gives `begin` what finishes it.
steer::ops::Method slow(std::function<void(const steer::ops::RpcDone&)> begin) {
    return {.name = "slow",
            .help = "Answers later.",
            .changes = Changes::nothing(),
            .piece = Piece::small(),
            .run = [begin = std::move(begin)](const Arguments&, const steer::ops::RpcDone& done) {
                begin(done);
            }};
}

std::string answer_to(std::string_view line) {
    Methods methods;
    add_some(methods);
    return JsonRpc(methods).handle(line);
}

json::object ask(std::string_view line) {
    return json::parse(answer_to(line)).as_object();
}

std::int64_t code_of(std::string_view line) {
    const auto answer = ask(line);
    BOOST_REQUIRE(answer.contains("error"));
    BOOST_CHECK_EQUAL(answer.at("jsonrpc").as_string(), "2.0");
    return answer.at("error").at("code").as_int64();
}

struct Folder : steer::test::TempFolder {
    [[nodiscard]] std::string socket() const { return (path / "sub" / "control.sock").string(); }
};

// A control socket that serves on a thread of its own.
struct Server {
    explicit Server(steer::ops::PeerRoles roles = {})
        : rpc(methods),
          subscriptions(std::make_shared<steer::ops::Subscriptions>(io)),
          socket(io, rpc,
                 {.audit = [this](const std::string& line) { audit.push_back(line); },
                  .roles = std::move(roles),
                  .subscriptions = subscriptions}),
          work(io.get_executor()) {
        add_some(methods);
        subscriptions->add_methods(methods);
        listening = socket.listen(folder.socket());
        thread = std::thread([this] { io.run(); });
    }
    ~Server() {
        asio::post(io, [this] { socket.close(); });
        work.reset();
        thread.join();
    }
    Folder folder;
    asio::io_context io;
    Methods methods;
    JsonRpc rpc;
    std::vector<std::string> audit;  // read when an answer behind it has come
    std::shared_ptr<steer::ops::Subscriptions> subscriptions;
    ControlSocket socket;
    asio::executor_work_guard<asio::io_context::executor_type> work;
    steer::Result<void> listening;
    std::thread thread;
};

struct Client {
    explicit Client(const std::string& path) : socket(io) {
        socket.connect(stream_protocol::endpoint(path));
    }
    void send(const std::string& bytes) { asio::write(socket, asio::buffer(bytes)); }
    // A line without its end; empty: the other side closed.
    std::string line() {
        boost::system::error_code error;
        const auto n = asio::read_until(socket, asio::dynamic_buffer(buffer), '\n', error);
        if (error) return {};
        std::string text = buffer.substr(0, n - 1);
        buffer.erase(0, n);
        return text;
    }
    asio::io_context io;
    stream_protocol::socket socket;
    std::string buffer;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(json_rpc)

BOOST_AUTO_TEST_CASE(a_line_that_is_not_utf8_is_answered_with_its_byte) {
    const auto message = ask("{\"a\": \"\xfc\"}").at("error").at("message").as_string();
    BOOST_CHECK_EQUAL(message, "not JSON: the byte 0xfc in column 8 is not UTF-8");
}

BOOST_AUTO_TEST_CASE(a_call_is_answered_with_its_id) {
    const auto answer = ask(R"({"jsonrpc":"2.0","id":"x7","method":"echo","params":{"a":12}})");
    BOOST_CHECK_EQUAL(answer.at("id").as_string(), "x7");
    BOOST_CHECK(answer.at("result") == json::parse(R"({"a":12})"));
    BOOST_CHECK(!answer.contains("error"));
    BOOST_CHECK(ask(R"({"jsonrpc":"2.0","id":1,"method":"echo"})").at("result") == json::object{});
}

BOOST_AUTO_TEST_CASE(errors_have_the_standards_codes) {
    BOOST_CHECK_EQUAL(code_of("{"), -32700);
    BOOST_CHECK_EQUAL(code_of("nonsense"), -32700);
    BOOST_CHECK_EQUAL(code_of(std::string(1000, '[')), -32700);
    BOOST_CHECK_EQUAL(code_of("[]"), -32600);
    BOOST_CHECK_EQUAL(code_of("7"), -32600);
    BOOST_CHECK_EQUAL(code_of(R"({"id":1,"method":"echo"})"), -32600);
    BOOST_CHECK_EQUAL(code_of(R"({"jsonrpc":"1.0","id":1,"method":"echo"})"), -32600);
    BOOST_CHECK_EQUAL(code_of(R"({"jsonrpc":"2.0","id":1,"method":5})"), -32600);
    BOOST_CHECK_EQUAL(code_of(R"({"jsonrpc":"2.0","id":1,"method":"echo","params":5})"), -32600);
    BOOST_CHECK_EQUAL(code_of(R"({"jsonrpc":"2.0","id":{},"method":"echo"})"), -32600);
    BOOST_CHECK_EQUAL(code_of(R"({"jsonrpc":"2.0","id":0e999,"method":"echo"})"), -32600);
    BOOST_CHECK_EQUAL(code_of(R"({"jsonrpc":"2.0","id":1,"method":"nope"})"), -32601);
    BOOST_CHECK_EQUAL(code_of(R"({"jsonrpc":"2.0","id":1,"method":"picky"})"), -32602);
    BOOST_CHECK_EQUAL(code_of(R"({"jsonrpc":"2.0","id":1,"method":"broken"})"), -32603);
}

// A router's comment in another encoding must not make the answer unreadable.
BOOST_AUTO_TEST_CASE(an_answer_is_valid_json_with_any_repeated_input) {
    Methods methods;
    methods.add({.name = "odd",
                 .help = "Answers with odd bytes.",
                 .changes = Changes::nothing(),
                 .piece = Piece::small(),
                 .run = [](const Arguments&) -> RpcResult { return "\xff\x1b\x7f\xc2\x9b"; }});
    const auto text = JsonRpc(methods).handle(R"({"jsonrpc":"2.0","id":1,"method":"odd"})");
    BOOST_TEST(text.find("\"\\\\xff\\u001b\\u007f\\u009b\"") != text.npos);
    BOOST_TEST(json::parse(text).at("result").as_string() == "\\xff\x1b\x7f\xc2\x9b");
}

BOOST_AUTO_TEST_CASE(error_messages_say_what_to_do) {
    const auto nope = ask(R"({"jsonrpc":"2.0","id":1,"method":"nope"})");
    BOOST_CHECK_EQUAL(nope.at("error").at("message").as_string(),
                      "no method \"nope\"; there are: broken, echo, methods, picky, rpc.discover, "
                      "rpc.whoami, status");
    const auto broken = ask(R"({"jsonrpc":"2.0","id":1,"method":"broken"})");
    BOOST_CHECK_EQUAL(broken.at("error").at("message").as_string(), "disk on fire");
}

BOOST_AUTO_TEST_CASE(a_notification_is_not_answered) {
    BOOST_CHECK_EQUAL(answer_to(R"({"jsonrpc":"2.0","method":"echo"})"), "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(control_socket)

BOOST_AUTO_TEST_CASE(several_requests_of_several_clients_are_answered) {
    Server server;
    BOOST_REQUIRE(server.listening);
    struct stat found {};
    BOOST_REQUIRE_EQUAL(::stat(server.folder.socket().c_str(), &found), 0);
    BOOST_CHECK_EQUAL(found.st_mode & 0777U, 0660U);
    Client one(server.folder.socket());
    Client two(server.folder.socket());
    one.send(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"a\":1}}\r\n\n"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"echo\",\"params\":{\"a\":2}}\n{\"jsonrpc\":\"2."
        "0\",");
    two.send("{}\n");
    BOOST_CHECK_EQUAL(one.line(), R"({"jsonrpc":"2.0","id":1,"result":{"a":1}})");
    BOOST_CHECK_EQUAL(one.line(), R"({"jsonrpc":"2.0","id":2,"result":{"a":2}})");
    BOOST_CHECK(two.line().find("-32600") != std::string::npos);
    one.send("\"id\":3,\"method\":\"echo\",\"params\":{\"a\":3}}\n");
    BOOST_CHECK_EQUAL(one.line(), R"({"jsonrpc":"2.0","id":3,"result":{"a":3}})");
}

// Requests of its own session are answered in order.
BOOST_AUTO_TEST_CASE(other_sessions_are_served_while_a_method_is_pending) {
    Server server;
    steer::ops::RpcDone finish;
    std::atomic<bool> begun{false};
    asio::post(server.io, [&] {
        server.methods.add(slow([&](const steer::ops::RpcDone& done) {
            finish = done;
            begun = true;
        }));
    });
    Client one(server.folder.socket());
    Client two(server.folder.socket());
    one.send(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"slow\"}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"echo\",\"params\":{\"a\":2}}\n");
    while (!begun)
        std::this_thread::yield();
    two.send("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"echo\",\"params\":{\"a\":7}}\n");
    BOOST_CHECK_EQUAL(two.line(), R"({"jsonrpc":"2.0","id":7,"result":{"a":7}})");
    asio::post(server.io, [&] { finish(json::value("done")); });
    BOOST_CHECK_EQUAL(one.line(), R"({"jsonrpc":"2.0","id":1,"result":"done"})");
    BOOST_CHECK_EQUAL(one.line(), R"({"jsonrpc":"2.0","id":2,"result":{"a":2}})");
}

BOOST_AUTO_TEST_CASE(an_endless_line_is_refused) {
    Server server;
    Client client(server.folder.socket());
    client.send(std::string(steer::ops::kMaxControlLine, 'x'));
    BOOST_CHECK(client.line().find("-32600") != std::string::npos);
    BOOST_CHECK_EQUAL(client.line(), "");
}

// Before, 32 sessions that reported nothing kept steerctl out for a minute.
BOOST_AUTO_TEST_CASE(idle_sessions_make_room_for_others) {
    Server server;
    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < steer::ops::kMaxControlSessions; ++i) {
        clients.push_back(std::make_unique<Client>(server.folder.socket()));
        clients.back()->send("{}\n");
        BOOST_REQUIRE(!clients.back()->line().empty());  // it is served
    }
    clients.front()->send("{}\n");
    BOOST_REQUIRE(!clients.front()->line().empty());
    BOOST_CHECK_EQUAL(steerctl::ask(server.folder.socket(), "status").error, "");
    BOOST_CHECK_EQUAL(clients[1]->line(), "");  // it had been silent for longest
    clients.front()->send("{}\n");
    BOOST_CHECK(!clients.front()->line().empty());
}

BOOST_AUTO_TEST_CASE(sessions_that_wait_for_results_are_not_evicted) {
    Server server;
    std::vector<steer::ops::RpcDone> waiting;
    std::atomic<std::size_t> begun{0};
    asio::post(server.io, [&] {
        server.methods.add(slow([&](const steer::ops::RpcDone& done) {
            waiting.push_back(done);
            ++begun;
        }));
    });
    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < steer::ops::kMaxControlSessions; ++i) {
        clients.push_back(std::make_unique<Client>(server.folder.socket()));
        clients.back()->send("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"slow\"}\n");
        while (begun != i + 1)
            std::this_thread::yield();
    }
    Client one_more(server.folder.socket());
    BOOST_CHECK(one_more.line().find("too many control sessions") != std::string::npos);
    BOOST_CHECK_EQUAL(one_more.line(), "");
    asio::post(server.io, [&] {
        for (const auto& done : waiting)
            done(json::value("done"));
    });
    for (const auto& client : clients)
        BOOST_CHECK(client->line().find("\"done\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(changes_are_logged_with_their_user) {
    Server server;
    Client client(server.folder.socket());
    for (const char* const request :
         {R"({"jsonrpc":"2.0","id":1,"method":"status"})",
          R"({"jsonrpc":"2.0","id":2,"method":"echo","params":{"password":"x","a":7}})",
          R"({"jsonrpc":"2.0","method":"picky"})", R"({"jsonrpc":"2.0","id":3,"method":"nope"})",
          R"({"jsonrpc":"2.0","id":4,"method":"status"})"}) {
        client.send(std::string(request) + "\n");
    }
    for (const char* const id : {"\"id\":1", "\"id\":2", "\"id\":3", "\"id\":4"})
        BOOST_CHECK(client.line().find(id) != std::string::npos);
    const std::string who = " of uid " + std::to_string(::geteuid()) + ", gid " +
                            std::to_string(::getegid()) + ", pid " + std::to_string(::getpid());
    BOOST_REQUIRE_EQUAL(server.audit.size(), 2U);
    BOOST_CHECK_EQUAL(server.audit[0],
                      R"(control request echo {"password":"***","a":7})" + who + ": done");
    BOOST_CHECK_EQUAL(server.audit[1],
                      "control request picky" + who + ": refused: a name is missing");
}

BOOST_AUTO_TEST_CASE(an_audit_line_has_no_part_of_a_configuration) {
    const json::object change{{"parts", json::array{"routers.edge1"}},
                              {"values", json::array{"{ address: a, password: hidden }"}}};
    const std::string line =
        steer::ops::audit_line("uid 0", "managed.set", change, json::value("done"));
    BOOST_CHECK(line.find("routers.edge1") != std::string::npos);
    BOOST_CHECK(line.find("hidden") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_audit_line_is_one_short_line_for_any_request) {
    const std::string line = steer::ops::audit_line(
        "uid 0", "cache.flush", json::object{{"name", std::string(5000, 'x') + "\r\n\x1b[2J"}},
        RpcError{RpcCode::invalid_params, std::string(600, '\n')});
    BOOST_CHECK(line.size() < 1300);
    BOOST_CHECK(std::none_of(line.begin(), line.end(), [](unsigned char c) { return c < ' '; }));
}

BOOST_AUTO_TEST_CASE(a_result_that_says_that_nothing_was_done_is_audited_as_refused) {
    const auto audited = [](json::value result) {
        const std::string line =
            steer::ops::audit_line("uid 0", "configuration.apply", nullptr, std::move(result));
        return line.substr(line.find("uid 0"));
    };
    const json::array problems{json::object{{"level", "warning"}, {"text", "a cache is small"}},
                               json::object{{"level", "error"}, {"text", "unknown key 'x'"}}};
    BOOST_CHECK_EQUAL(audited(json::object{{"applied", false}, {"problems", problems}}),
                      "uid 0: refused: unknown key 'x'");
    BOOST_CHECK_EQUAL(audited(json::object{{"applied", false}}),
                      "uid 0: refused: nothing was applied");
    BOOST_CHECK_EQUAL(audited(json::object{{"applied", true}, {"problems", json::array{}}}),
                      "uid 0: done");
    BOOST_CHECK_EQUAL(audited(json::object{{"errors", json::array{"a.yaml:1: no"}}}),
                      "uid 0: refused: a.yaml:1: no");
    BOOST_CHECK_EQUAL(audited(json::object{{"errors", json::array{}}}), "uid 0: done");
}

BOOST_AUTO_TEST_CASE(a_live_socket_is_left_alone) {
    Server server;
    asio::io_context io;
    const Methods methods;
    const JsonRpc rpc(methods);
    ControlSocket second(io, rpc);
    const auto refused = second.listen(server.folder.socket());
    BOOST_REQUIRE(!refused);
    BOOST_CHECK(refused.error().text.starts_with("another steerdnsd answers on "));
    second.close();
    BOOST_CHECK(fs::exists(server.folder.socket()));
    BOOST_CHECK(steerctl::ask(server.folder.socket(), "status").error.empty());
}

BOOST_AUTO_TEST_CASE(a_dead_socket_is_replaced_and_removed_at_the_end) {
    Folder folder;
    fs::create_directories(folder.path / "sub");
    {
        asio::io_context io;
        stream_protocol::acceptor dead(io, stream_protocol::endpoint(folder.socket()));
    }
    BOOST_REQUIRE(fs::exists(folder.socket()));
    asio::io_context io;
    const Methods methods;
    const JsonRpc rpc(methods);
    ControlSocket socket(io, rpc);
    BOOST_REQUIRE(socket.listen(folder.socket()));
    socket.close();
    BOOST_CHECK(!fs::exists(folder.socket()));
    io.run();  // nothing is left to do
}

BOOST_AUTO_TEST_CASE(an_unusable_path_for_the_socket_is_refused) {
    Folder folder;
    fs::create_directories(folder.path / "sub");
    std::ofstream(folder.socket()) << "a file";
    asio::io_context io;
    const Methods methods;
    const JsonRpc rpc(methods);
    ControlSocket socket(io, rpc);
    BOOST_CHECK(socket.listen(folder.socket()).error().text.find("is no socket") !=
                std::string::npos);
    BOOST_CHECK(fs::exists(folder.socket()));
    BOOST_CHECK(socket.listen("/dev/null/x/control.sock").error().text.find("cannot be made") !=
                std::string::npos);
    BOOST_CHECK(!socket.listen(std::string(200, 'x')));
    BOOST_CHECK(!socket.listen(""));
}

BOOST_AUTO_TEST_CASE(the_client_of_steerctl_gets_results_and_errors) {
    Server server;
    const auto status = steerctl::ask(server.folder.socket(), "status");
    BOOST_CHECK_EQUAL(status.error, "");
    BOOST_CHECK_EQUAL(status.result.at("version").as_string(), "9.9");
    BOOST_CHECK(steerctl::ask(server.folder.socket(), "nope")
                    .error.starts_with("request rejected: no method \"nope\""));
    const auto missing = steerctl::ask((server.folder.path / "none").string(), "status");
    BOOST_CHECK(missing.error.starts_with("steerdnsd is not running: no control socket at "));
}

BOOST_AUTO_TEST_CASE(a_session_gets_notifications_between_its_answers) {
    Server server;
    Client client(server.folder.socket());
    client.send(R"({"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"topics":["events"]}})"
                "\n");
    BOOST_TEST(client.line() ==
               R"({"jsonrpc":"2.0","id":1,"result":{"subscriptions":{"events":1}}})");
    server.subscriptions->publish(steer::ops::Topic::events, {.kind = "reload"}, [] {
        return json::object{{"text", "a\nb"}};
    });
    BOOST_TEST(client.line() ==
               R"({"jsonrpc":"2.0","method":"events","params":{"subscription":1,"lost":0,"data":)"
               R"({"text":"a\nb"}}})");
    client.send(R"({"jsonrpc":"2.0","id":2,"method":"status"})"
                "\n");
    BOOST_TEST(client.line().starts_with(R"({"jsonrpc":"2.0","id":2,"result":)"));
    client.send(R"({"jsonrpc":"2.0","id":3,"method":"unsubscribe","params":{"subscription":9}})"
                "\n");
    BOOST_TEST(client.line().find("this session has no subscription 9") != std::string::npos);
    client.send(R"({"jsonrpc":"2.0","id":4,"method":"unsubscribe"})"
                "\n");
    BOOST_TEST(client.line() == R"({"jsonrpc":"2.0","id":4,"result":{"ended":1}})");
    BOOST_TEST(!server.subscriptions->wants(steer::ops::Topic::events));
}

BOOST_AUTO_TEST_CASE(a_wrong_wish_is_refused_with_a_sentence) {
    Server server;
    for (const auto& [params, why] :
         {std::pair{R"({})", "\"topics\" is missing"},
          {R"({"topics":[]})", "name one of events, counters, queries and readiness"},
          {R"({"topics":["weather"]})", "there are events, counters, queries and readiness"},
          {R"({"topics":["queries"],"client":"here"})", "is not an address or a prefix"},
          {R"({"topics":["counters"],"interval":1})", "from 100 to 3600000 ms"},
          {R"({"topics":["queries"],"rate":0})", "from 1 to 5000 1/s"}}) {
        const auto reply = steerctl::ask(server.folder.socket(), "subscribe", json::parse(params));
        BOOST_TEST(reply.error.find(why) != std::string::npos, reply.error);
    }
}

// It reads nothing: others are served, and it learns how many it lost.
BOOST_AUTO_TEST_CASE(a_subscriber_that_does_not_read_loses_and_delays_no_other) {
    Server server;
    Client slow(server.folder.socket());
    slow.send(
        R"({"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"topics":["queries"],"rate":5000}})"
        "\n");
    BOOST_REQUIRE(!slow.line().empty());
    constexpr unsigned kMany = 4'000;
    const std::string text(1'000, 'x');
    for (unsigned i = 0; i < kMany; ++i) {
        server.subscriptions->publish(steer::ops::Topic::queries, {}, [&] {
            return json::object{{"t", text}};
        });
    }
    BOOST_TEST(steerctl::ask(server.folder.socket(), "status").error == "");
    std::uint64_t seen = 0, lost = 0;
    while (seen + lost < kMany) {  // the last one tells of all before it
        const auto line = slow.line();
        BOOST_REQUIRE(!line.empty());
        ++seen;
        lost += json::parse(line).at("params").at("lost").to_number<std::uint64_t>();
        if (seen + lost == kMany || seen < steer::ops::kMaxQueued) continue;
        server.subscriptions->publish(steer::ops::Topic::queries, {},
                                      [] { return json::object{}; });
        if (lost > 0) break;
    }
    BOOST_TEST(lost > 0U);
}

BOOST_AUTO_TEST_CASE(the_idlest_session_without_a_subscription_makes_room) {
    Server server;
    Client subscribed(server.folder.socket());
    subscribed.send(
        R"({"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"topics":["events"]}})"
        "\n");
    BOOST_REQUIRE(!subscribed.line().empty());
    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < steer::ops::kMaxControlSessions; ++i) {
        clients.push_back(std::make_unique<Client>(server.folder.socket()));
        clients.back()->send("{}\n");
        BOOST_REQUIRE(!clients.back()->line().empty());
    }
    BOOST_TEST(clients.front()->line() == "");
    subscribed.send("{}\n");
    BOOST_TEST(!subscribed.line().empty());
}

// The test runs as root, which is always admin: so another user asks.
BOOST_AUTO_TEST_CASE(a_peer_without_a_role_is_refused_and_closed) {
    if (::geteuid() != 0) return;
    const auto roles =
        steer::ops::PeerRoles::resolve({{.user = "65533", .role = steer::AccessRole::read}});
    BOOST_REQUIRE(roles);
    Server server(*roles);
    struct stat found {};
    BOOST_REQUIRE(::stat(server.folder.socket().c_str(), &found) == 0);
    BOOST_TEST((found.st_mode & 0777U) == 0666U);
    for (const auto& at : {server.folder.path, server.folder.path / "sub"})
        fs::permissions(at, fs::perms::others_exec | fs::perms::group_exec, fs::perm_options::add);
    // Of this thread alone: seteuid(3) would change the server's thread, too, whose own user is an admin.
    const auto be = [](unsigned uid) { BOOST_REQUIRE(::syscall(SYS_setresuid, -1, uid, -1) == 0); };
    const auto as = [&](unsigned uid, std::string_view method) {
        be(uid);
        Client client(server.folder.socket());
        be(0);
        if (!method.empty())
            client.send(R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method) + "\"}\n");
        return client.line();
    };
    BOOST_TEST(as(65532, "").find("your user has no role") != std::string::npos);
    BOOST_TEST(as(65533, "status").find("\"result\"") != std::string::npos);
    BOOST_TEST(as(65533, "echo").find(R"(echo needs the role \"operate\")") != std::string::npos);
    BOOST_TEST(as(0, "echo").find("\"result\"") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
