// The socket under a Router, against a simulated router behind a real one on loopback: plain, TLS
// by authority, by pin, anonymous; and what is reported when it does not work.
#include "routeros/transport.h"

#include <netinet/tcp.h>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <thread>

#include "lab.h"
#include "routeros/blocking_link.h"
#include "routeros/client.h"
#include "tls_certificate.h"

namespace steer::routeros::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

enum class Mode { plain, certificate, anonymous };

std::int64_t clock_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// One connection at a time between a listening socket and a rossim::Router that needs no time.
class Bridge {
  public:
    Bridge(asio::io_context& io, Mode mode, const Certificate& certificate)
        : mode_(mode),
          acceptor_(io, {asio::ip::address_v4::loopback(), 0}),
          socket_(io),
          context_(asio::ssl::context::tls_server) {
        if (mode == Mode::anonymous) {
            SSL_CTX_set_max_proto_version(context_.native_handle(), TLS1_2_VERSION);
            SSL_CTX_set_dh_auto(context_.native_handle(), 1);
            SSL_CTX_set_cipher_list(context_.native_handle(), "ADH:@SECLEVEL=0");
        } else {
            context_.use_certificate(asio::buffer(certificate.certificate_pem),
                                     asio::ssl::context::pem);
            context_.use_private_key(asio::buffer(certificate.key_pem), asio::ssl::context::pem);
        }
        sim.advance(clock_us());
        accept();
    }
    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    void hang_up() {
        error_code ignored;
        socket_.close(ignored);
    }

    rossim::Router sim{{}};

  private:
    template <class F>
    void on_stream(F&& f) {
        if (mode_ == Mode::plain)
            f(socket_);
        else
            f(*stream_);
    }
    void accept() {
        acceptor_.async_accept(socket_, [this](error_code error) {
            if (error) return;
            if (mode_ == Mode::plain) return begin();
            stream_.emplace(socket_, context_);
            stream_->async_handshake(asio::ssl::stream_base::server, [this](error_code failed) {
                if (failed) return again();
                begin();
            });
        });
    }
    void again() {
        error_code ignored;
        socket_.close(ignored);
        accept();
    }
    void begin() {
        session_ = *sim.open(clock_us());
        read();
    }
    void read() {
        on_stream([this](auto& stream) {
            stream.async_read_some(asio::buffer(in_), [this](error_code error, std::size_t n) {
                if (error == asio::error::operation_aborted && !socket_.is_open()) return accept();
                if (error) return again();
                sim.feed(session_, std::string_view{in_.data(), n}, clock_us());
                sim.advance(clock_us() + 1);
                std::string reply;
                for (const auto& output : sim.take_output())
                    reply += output.bytes;
                on_stream([&](auto& out) { asio::write(out, asio::buffer(reply), error); });
                read();
            });
        });
    }

    Mode mode_;
    tcp::acceptor acceptor_;
    tcp::socket socket_;
    asio::ssl::context context_;
    std::optional<asio::ssl::stream<tcp::socket&>> stream_;
    rossim::SessionId session_ = 0;
    std::array<char, 4096> in_{};
};

struct Wire {
    explicit Wire(Mode mode) : Wire(mode, make_certificate()) {}
    Wire(Mode mode, Certificate with)
        : certificate(std::move(with)), bridge(io, mode, certificate) {}

    // Runs until `done` or for at most 10 s.
    bool run(const TransportConfig& config, const std::function<bool()>& done) {
        Transport transport{io, config,
                            [] { return static_cast<std::uint64_t>(clock_us()) / 1000; }};
        Router made{router_config(), seen, transport};
        router = &made;
        transport.drive(made);
        made.start(static_cast<std::uint64_t>(clock_us()) / 1000);
        transport.wake();
        after_start(made, transport);
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!done() && std::chrono::steady_clock::now() < limit)
            io.run_one_for(std::chrono::milliseconds(100));
        const bool good = done();
        transport.stop();
        router = nullptr;
        return good;
    }
    [[nodiscard]] TransportConfig config(TlsConfig tls = {}) const {
        TransportConfig c = parse_router_address("127.0.0.1:" + std::to_string(bridge.port()), tls);
        return c;
    }
    [[nodiscard]] bool synced() const { return router->status().state == RouterState::in_sync; }
    [[nodiscard]] bool logged(std::string_view part) const {
        for (const auto& sentence : seen.sentences) {
            if (sentence.find(part) != sentence.npos) return true;
        }
        return false;
    }

    asio::io_context io;
    Certificate certificate;
    Bridge bridge;
    Witness seen;
    Router* router = nullptr;
    std::function<void(Router&, Transport&)> after_start = [](Router&, Transport&) {};
};

TlsConfig tls(bool anonymous = false) {
    TlsConfig config;
    config.enabled = true;
    config.anonymous = anonymous;
    return config;
}

struct File {
    explicit File(const std::string& text)
        : path("routeros_test_ca_" + std::to_string(::getpid()) + ".pem") {
        std::ofstream{path} << text;
    }
    ~File() { std::remove(path.c_str()); }
    std::string path;
};

BOOST_AUTO_TEST_SUITE(transport)

BOOST_AUTO_TEST_CASE(a_row_is_written_without_tls_and_again_after_a_reconnect) {
    Wire wire{Mode::plain};
    const AddressBytes address = bytes_of("203.0.113.7");
    bool claimed = false, hung_up = false;
    const bool good = wire.run(wire.config(), [&] {
        if (wire.synced() && !claimed) {
            claimed = true;
            const auto now_ms = static_cast<std::uint64_t>(clock_us()) / 1000;
            wire.router->claim(1, {&address, 1}, "stream.example", now_ms + 60'000, 60, 9, now_ms);
        }
        if (!hung_up && wire.seen.outcomes.contains(9)) {
            hung_up = true;
            wire.bridge.hang_up();
        }
        return wire.router->counters().connects == 2 && wire.synced();
    });
    BOOST_TEST(good);
    BOOST_TEST((wire.seen.outcomes[9] == Outcome::installed));
    BOOST_TEST(wire.bridge.sim.row_count(rossim::Family::ipv4) == 1U);
    BOOST_TEST(wire.logged("connecting again"));
}

// So that no list claims them (control/runtime/needed_hosts.h).
BOOST_AUTO_TEST_CASE(the_addresses_of_a_router_that_is_given_by_name_are_reported) {
    Wire wire{Mode::plain};
    TransportConfig config = wire.config();
    config.host = "localhost";
    std::vector<AddressBytes> addresses;
    Transport transport{wire.io, config,
                        [] { return static_cast<std::uint64_t>(clock_us()) / 1000; }};
    transport.on_resolved(
        [&](std::span<const AddressBytes> found) { addresses.assign(found.begin(), found.end()); });
    transport.connect();
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (addresses.empty() && std::chrono::steady_clock::now() < limit)
        wire.io.run_one_for(std::chrono::milliseconds(100));
    transport.stop();
    BOOST_TEST((std::ranges::find(addresses, bytes_of("127.0.0.1")) != addresses.end()));
}

BOOST_AUTO_TEST_CASE(a_router_is_trusted_by_authority) {
    Wire wire{Mode::certificate};
    const File file{wire.certificate.certificate_pem};
    auto config = tls();
    config.ca_file = file.path;
    BOOST_TEST(check_tls(config) == "");
    BOOST_TEST(wire.run(wire.config(config), [&] { return wire.synced(); }));
}

BOOST_AUTO_TEST_CASE(a_router_is_trusted_by_pin) {
    Wire wire{Mode::certificate};
    auto config = tls();
    config.pin_sha256 = wire.certificate.sha256;
    BOOST_TEST(wire.run(wire.config(config), [&] { return wire.synced(); }));
}

BOOST_AUTO_TEST_CASE(a_wrong_pin_gets_no_password) {
    Wire wire{Mode::certificate};
    auto config = tls();
    config.pin_sha256 = std::string(64, 'a');
    BOOST_TEST(wire.run(wire.config(config), [&] { return !wire.seen.sentences.empty(); }));
    BOOST_TEST(wire.logged("is not the pinned one; its sha256 is"));
    BOOST_TEST(wire.bridge.sim.report().bytes_in == 0U);
}

BOOST_AUTO_TEST_CASE(an_unknown_authority_gets_no_password) {
    Wire wire{Mode::certificate};
    BOOST_TEST(wire.run(wire.config(tls()), [&] { return !wire.seen.sentences.empty(); }));
    BOOST_TEST(wire.logged("TLS: "));
    BOOST_TEST(wire.bridge.sim.report().bytes_in == 0U);
}

BOOST_AUTO_TEST_CASE(the_error_of_an_untrusted_router_prints_the_pin_to_write) {
    constexpr std::string_view kBefore = "write 'tls: { pin: ";
    const Certificate certificate = make_certificate();
    Wire untrusted{Mode::certificate, certificate};
    BOOST_REQUIRE(
        untrusted.run(untrusted.config(tls()), [&] { return untrusted.logged(kBefore); }));
    const std::string& sentence = untrusted.seen.sentences.front();
    auto config = tls();
    config.pin_sha256 = sentence.substr(sentence.find(kBefore) + kBefore.size(), 64);
    Wire pinned{Mode::certificate, certificate};
    BOOST_TEST(pinned.run(pinned.config(config), [&] { return pinned.synced(); }), sentence);
}

// Without a certificate there is none to write.
BOOST_AUTO_TEST_CASE(the_error_of_a_router_without_certificate_prints_no_pin) {
    Wire wire{Mode::anonymous};
    BOOST_TEST(wire.run(wire.config(tls()), [&] { return !wire.seen.sentences.empty(); }));
    BOOST_TEST(!wire.logged("pin: "));
}

// Refused as it stands, and nothing is sent to it.
void check_refused(Wire& wire, const TlsConfig& config, std::string_view why) {
    BOOST_TEST(wire.run(wire.config(config), [&] { return !wire.seen.sentences.empty(); }));
    BOOST_TEST(wire.logged("TLS: "));
    BOOST_TEST(wire.logged(why), wire.seen.sentences.front());
    BOOST_TEST(wire.logged("and its certificate"));  // what to check
    BOOST_TEST(wire.bridge.sim.report().bytes_in == 0U);
}

BOOST_AUTO_TEST_CASE(the_certificate_of_another_host_gets_no_password) {
    Wire wire{Mode::certificate, make_certificate("IP:192.0.2.77")};
    const File file{wire.certificate.certificate_pem};
    auto config = tls();
    config.ca_file = file.path;
    check_refused(wire, config, "its certificate is not for 127.0.0.1");
}

BOOST_AUTO_TEST_CASE(an_expired_certificate_gets_no_password) {
    Wire wire{Mode::certificate, make_certificate("IP:127.0.0.1", -60)};
    const File file{wire.certificate.certificate_pem};
    auto config = tls();
    config.ca_file = file.path;
    check_refused(wire, config, "its certificate is not trusted: certificate has expired");
}

// The system's authorities are named by OpenSSL's own variable, so that a test may be one.
struct SystemAuthority {
    explicit SystemAuthority(const Certificate& certificate) : file(certificate.certificate_pem) {
        ::setenv("SSL_CERT_FILE", file.path.c_str(), 1);
    }
    ~SystemAuthority() { ::unsetenv("SSL_CERT_FILE"); }
    File file;
};

BOOST_AUTO_TEST_CASE(the_system_authorities_trust_a_router_only_for_its_address) {
    Wire right{Mode::certificate};
    {
        const SystemAuthority authority{right.certificate};
        BOOST_TEST(right.run(right.config(tls()), [&] { return right.synced(); }));
    }
    Wire other{Mode::certificate, make_certificate("IP:192.0.2.77")};
    const SystemAuthority authority{other.certificate};
    check_refused(other, tls(), "its certificate is not for 127.0.0.1");
}

BOOST_AUTO_TEST_CASE(tls_to_a_plain_port_and_the_reverse_are_reported) {
    Wire plain{Mode::plain};
    auto config = plain.config(tls());
    config.connect_timeout_ms = 300;
    BOOST_TEST(plain.run(config, [&] { return !plain.seen.sentences.empty(); }));
    BOOST_TEST(plain.logged("TLS: "), plain.seen.sentences.front());
    BOOST_TEST(plain.logged("that the port is that of /ip/service api-ssl"));
    BOOST_TEST(plain.bridge.sim.report().logins == 0U);

    Wire secure{Mode::certificate};
    BOOST_TEST(secure.run(secure.config(), [&] { return !secure.seen.sentences.empty(); }));
    BOOST_TEST(secure.logged("api-ssl"), secure.seen.sentences.front());
}

// The socket of this process that is connected to `port`; -1: none.
int socket_to(std::uint16_t port) {
    for (int fd = 0; fd < 1024; ++fd) {
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
        if (peer.sin_family == AF_INET && ntohs(peer.sin_port) == port) return fd;
    }
    return -1;
}

BOOST_AUTO_TEST_CASE(a_dead_peer_is_noticed_by_the_kernel_after_send_timeout) {
    Wire wire{Mode::plain};
    auto config = wire.config();
    config.send_timeout_ms = 2500;
    int timeout_ms = 0, no_delay = 0, keep_alive = 0;
    BOOST_TEST(wire.run(config, [&] {
        if (!wire.synced()) return false;
        const int fd = socket_to(wire.bridge.port());
        const auto get = [fd](int level, int option, int& value) {
            socklen_t size = sizeof value;
            BOOST_TEST(::getsockopt(fd, level, option, &value, &size) == 0);
        };
        get(IPPROTO_TCP, TCP_USER_TIMEOUT, timeout_ms);
        get(IPPROTO_TCP, TCP_NODELAY, no_delay);
        get(SOL_SOCKET, SO_KEEPALIVE, keep_alive);
        return true;
    }));
    BOOST_TEST(timeout_ms == 2500);
    BOOST_TEST(no_delay != 0);
    BOOST_TEST(keep_alive != 0);
}

BOOST_AUTO_TEST_CASE(anonymous_tls_works_if_configured) {
    Wire wire{Mode::anonymous};
    BOOST_TEST(wire.run(wire.config(tls(true)), [&] { return wire.synced(); }));
}

BOOST_AUTO_TEST_CASE(a_refused_connection_is_reported) {
    Wire wire{Mode::plain};
    auto config = wire.config();
    asio::io_context other;
    tcp::acceptor closed{other, {asio::ip::address_v4::loopback(), 0}};
    config.port = closed.local_endpoint().port();
    closed.close();
    BOOST_TEST(wire.run(config, [&] { return !wire.seen.sentences.empty(); }));
    BOOST_TEST(wire.logged("cannot be reached (Connection refused)"));
}

// The router's side on a thread of its own: the client blocks.
struct Served {
    explicit Served(Wire& of) : wire(of), thread([this] { wire.io.run(); }) {}
    ~Served() {
        wire.io.stop();
        thread.join();
    }
    Wire& wire;
    std::thread thread;
};

BOOST_AUTO_TEST_CASE(a_client_that_blocks_gets_its_reply_over_tls) {
    Wire wire{Mode::certificate};
    const File file{wire.certificate.certificate_pem};
    auto config = tls();
    config.ca_file = file.path;
    const TransportConfig to = wire.config(config);
    const RouterConfig login = router_config();
    const Served served{wire};
    {
        Client client;
        BOOST_TEST(client.local_address() == "");
        BOOST_REQUIRE(client.open(to, login.username, std::string(login.password.text())) == "");
        BOOST_TEST(client.local_address() == "127.0.0.1");
        Client::Reply reply;
        for (int i = 0; i < 2; ++i) {
            BOOST_TEST(client.ask(print(forms::print_resource), reply) == "");
            BOOST_TEST(reply.ending.ok);
            BOOST_TEST(reply.rows.size() == 1U);
        }
    }
    Client wrong;
    BOOST_TEST(wrong.open(to, login.username, "x").starts_with("login failed: "));
}

BOOST_AUTO_TEST_CASE(a_link_that_blocks_reports_how_far_it_arrived) {
    using Stage = LinkFailure::Stage;
    Wire wire{Mode::certificate};
    Wire plain{Mode::plain};
    TransportConfig unknown = wire.config(tls()), refused = unknown, silent = plain.config();
    const Served served{wire}, silently{plain};
    asio::io_context other;
    tcp::acceptor acceptor{other, {asio::ip::address_v4::loopback(), 0}};  // it accepts nothing
    TransportConfig mute = unknown;
    mute.port = acceptor.local_endpoint().port();
    mute.connect_timeout_ms = 100;

    BlockingLink untrusted{unknown};
    BOOST_TEST(!untrusted.connect());
    BOOST_TEST((untrusted.failure().stage == Stage::tls));
    BOOST_TEST(untrusted.failure().certificate_error != 0);
    BOOST_TEST(untrusted.failure().text().starts_with("TLS: its certificate is not trusted: "));

    BlockingLink late{mute};
    BOOST_TEST(!late.connect());
    BOOST_TEST((late.failure().stage == Stage::tls));
    BOOST_TEST(late.failure().is_late);
    BOOST_TEST(late.failure().text() == "TLS: no answer in time");

    acceptor.close();
    refused.port = mute.port;
    BlockingLink closed{refused};
    BOOST_TEST(!closed.connect());
    BOOST_TEST((closed.failure().stage == Stage::connection));
    BOOST_TEST(!closed.failure().is_late);
    BOOST_TEST(closed.failure().text() == "Connection refused");

    BlockingLink open{silent};
    std::string bytes = "old";
    BOOST_REQUIRE(open.connect());
    BOOST_TEST(!open.receive(bytes, std::chrono::milliseconds(1)));
    BOOST_TEST(bytes == "");
    BOOST_TEST((open.failure().stage == Stage::open));
    BOOST_TEST(open.failure().is_late);
}

BOOST_AUTO_TEST_CASE(addresses_of_routers_are_parsed) {
    const auto form = [](const char* text, bool with_tls = false) {
        TlsConfig config;
        config.enabled = with_tls;
        const auto c = parse_router_address(text, config);
        return c.host + " " + std::to_string(c.port);
    };
    BOOST_TEST(form("172.16.1.1:8728") == "172.16.1.1 8728");
    BOOST_TEST(form("172.16.1.1") == "172.16.1.1 8728");
    BOOST_TEST(form("172.16.1.1", true) == "172.16.1.1 8729");
    BOOST_TEST(form("edge1.example:99") == "edge1.example 99");
    BOOST_TEST(form("[2001:db8::1]:99") == "2001:db8::1 99");
    BOOST_TEST(form("[2001:db8::1]") == "2001:db8::1 8728");
    BOOST_TEST(form("2001:db8::1") == "2001:db8::1 8728");
    for (const char* text : {"", "a:", "a:0", "a:65536", "a:x", "[::1", "[::1]x", "[::1]:"}) {
        BOOST_TEST_INFO(text);
        BOOST_TEST(parse_router_address(text, {}).host == "");
    }
}

BOOST_AUTO_TEST_CASE(errors_of_tls_are_reported) {
    BOOST_TEST(check_tls({}) == "");
    BOOST_TEST(check_tls(tls()) == "");
    auto both = tls(true);
    both.pin_sha256 = std::string(64, 'a');
    BOOST_TEST(check_tls(both) != "");
    auto pin = tls();
    pin.pin_sha256 = "12:34";
    BOOST_TEST(check_tls(pin) != "");
    auto ca = tls();
    ca.ca_file = "/nowhere/ca.pem";
    BOOST_TEST(check_tls(ca).find("/nowhere/ca.pem") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros::test
