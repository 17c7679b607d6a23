// A conversation with a server that the test plays on the same thread: it says more whenever it was read from.
#include "control/streams/fetch/connection.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <optional>

using steer::IpAddress;
using namespace steer::fetch;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr unsigned kManyReads = 1000;

// Takes any bytes for a response, and calls `on_read` for each part.
struct AnyBytes final : steer::stream::HttpClient {
    std::uint32_t ask(std::shared_ptr<const steer::stream::HttpRequestHead> /*head*/,
                      std::span<const std::uint8_t> /*content*/) override {
        return 1;
    }
    void cancel(std::uint32_t /*request*/) override {}
    [[nodiscard]] unsigned room() const override { return 0; }
    void receive(std::span<const std::uint8_t> bytes) override {
        ++reads;
        text.append(bytes.begin(), bytes.end());
        if (on_read) on_read();
    }
    std::span<const std::uint8_t> next_output() override {
        sent = std::exchange(unsent, {});
        return sent;
    }
    [[nodiscard]] bool is_over() const override { return false; }
    [[nodiscard]] bool is_leaving() const override { return false; }
    [[nodiscard]] const std::string& why() const override { return no_reason; }

    std::vector<std::uint8_t> unsent, sent;
    std::string text, no_reason;
    unsigned reads = 0;
    std::function<void()> on_read;
};

struct Conversation {
    // Connects, has `prepare` done by the server, and talks until `text` has come.
    void run(const std::string& text, const std::function<void()>& prepare) {
        asio::co_spawn(
            io,
            [&]() -> asio::awaitable<void> {
                const bool connected = co_await connection.connect(
                    *IpAddress::parse("127.0.0.1"), listener.local_endpoint().port());
                BOOST_TEST(connected);
                server = listener.accept();
                prepare();
                talk = co_await connection.talk(client, [&] { return client.text == text; });
            },
            [this](const std::exception_ptr& thrown) {
                BOOST_TEST(!thrown);
                io.stop();
            });
        io.run();
    }
    void say(const std::string& text) { asio::write(*server, asio::buffer(text)); }
    // Says more at each read, for so long that it appears endless; then closes.
    void say_on() {
        if (client.reads < kManyReads) return say("more");
        server.reset();
    }

    asio::io_context io{1};
    tcp::acceptor listener{io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    std::optional<tcp::socket> server;
    AnyBytes client;
    Connection connection{io};
    std::optional<Talk> talk;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(fetch_connection)

BOOST_AUTO_TEST_CASE(a_server_that_never_pauses_cannot_outlast_the_deadline) {
    Conversation c;
    c.client.on_read = [&c] { c.say_on(); };
    c.run("never", [&c] {
        c.say("begin");
        c.connection.until(std::chrono::steady_clock::now());
    });
    BOOST_TEST((c.talk == Talk::failed));
    BOOST_TEST(c.connection.why() == "it took too long");
    BOOST_TEST(c.client.reads == 0U);
}

BOOST_AUTO_TEST_CASE(a_server_that_never_pauses_cannot_delay_a_stop) {
    Conversation c;
    c.client.on_read = [&c] {
        if (c.client.reads == 3) c.io.stop();
        c.say_on();
    };
    c.run("never", [&c] { c.say("begin"); });
    BOOST_TEST(!c.talk.has_value());
    BOOST_TEST(c.client.reads <= 3 + steer::stream::kUpstreamReads);
}

BOOST_AUTO_TEST_CASE(timers_run_while_a_server_never_pauses) {
    Conversation c;
    bool had_turn = false;
    c.client.on_read = [&] {
        if (c.client.reads == 3) asio::post(c.io, [&] { had_turn = true; });
        if (had_turn) c.io.stop();
        c.say_on();
    };
    c.run("never", [&c] { c.say("begin"); });
    BOOST_TEST(had_turn);
    BOOST_TEST(c.client.reads < kManyReads);
}

BOOST_AUTO_TEST_CASE(a_response_is_read_from_a_server_that_stopped_reading) {
    Conversation c;
    c.client.unsent.assign(100, 'x');
    c.run("whole", [&c] {
        c.say("whole");
        c.server->set_option(asio::socket_base::linger(true, 0));
        c.server->close();  // by RST: what is written to it fails
    });
    BOOST_TEST((c.talk == Talk::over));
    BOOST_TEST(c.client.text == "whole");
}

BOOST_AUTO_TEST_SUITE_END()
