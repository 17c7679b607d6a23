// Our side of TLS towards a server, over a socket pair.
#include "control/host/net/tls_client.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>

#include "control/host/net/tls_server.h"
#include "tls/tls_peer.h"

using namespace steer;
using namespace steer::test;
using stream::ByteStream;
using stream::Io;
using stream::TlsClient;

namespace {

struct Options {
    std::string host = "one.example";
    bool by_system = false;  // the authorities are the system's
    long ends_s = 3600;      // of the certificate, from now
};

// A server for one.example and its client, connected.
struct ServerAndClient {
    explicit ServerAndClient(const Options& options = {}) {
        const Issued issued = authority.issue("one.example", -7200, options.ends_s);
        BOOST_REQUIRE(server.load(files_of(folder, issued)).has_value());
        const std::string ca_file = folder.write("ca.pem", authority.pem());
        connect(options.host, options.by_system ? std::string{} : ca_file);
    }
    // By a client of its own.
    void connect(const std::string& host, const std::string& ca_file) {
        auto made = TlsClient::make(host, {}, {.ca_file = ca_file});
        BOOST_REQUIRE(made.has_value());
        client = *std::move(made);
        std::array<int, 2> ends{};
        BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
        server_end = std::make_unique<ByteStream>(socket_of(ends[0]));
        client_end = std::make_unique<ByteStream>(socket_of(ends[1]));
        BOOST_REQUIRE(server_end->secure(server.accept()));
        BOOST_REQUIRE(client_end->secure(client->new_connection()));
    }
    boost::asio::ip::tcp::socket socket_of(int fd) { return {io, boost::asio::ip::tcp::v4(), fd}; }
    [[nodiscard]] std::string error() const {
        return client->explain(client_end->ssl(), client_end->why(), "`ca`");
    }
    // What became of the client's handshake.
    Io shake_hands() {
        Io server_io = Io::wait_read, client_io = Io::wait_read;
        for (int i = 0; i < 10; ++i) {
            if (client_io == Io::wait_read) client_io = client_end->handshake();
            if (server_io == Io::wait_read) server_io = server_end->handshake();
        }
        return client_io;
    }

    boost::asio::io_context io;
    SkippingClock clock;
    TempFolder folder;
    Authority authority;
    stream::TlsServer server{{"dot"}, clock};
    std::shared_ptr<TlsClient> client;
    std::unique_ptr<ByteStream> server_end, client_end;
};

// What OpenSSL takes for the system's authorities, for as long as this is there.
class SystemAuthorities {
  public:
    explicit SystemAuthorities(const std::string& pem) {
        ::setenv("SSL_CERT_FILE", folder_.write("system.pem", pem).c_str(), 1);
        ::setenv("SSL_CERT_DIR", folder_.write("none", "").c_str(), 1);
    }
    ~SystemAuthorities() {
        ::unsetenv("SSL_CERT_FILE");
        ::unsetenv("SSL_CERT_DIR");
    }
    SystemAuthorities(const SystemAuthorities&) = delete;
    SystemAuthorities& operator=(const SystemAuthorities&) = delete;

  private:
    TempFolder folder_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_tls_client)

// Tickets of TLS 1.3 come after the handshake, with the first read.
BOOST_AUTO_TEST_CASE(a_connection_may_outlive_its_client) {
    ServerAndClient tls;
    BOOST_REQUIRE((tls.shake_hands() == Io::done));
    SSL* const ssl = tls.client_end->ssl();
    BOOST_REQUIRE(SSL_version(ssl) == TLS1_3_VERSION);
    tls.client.reset();
    BOOST_TEST(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)) == nullptr);
    std::size_t n = 0;
    BOOST_REQUIRE((tls.server_end->write(Bytes{1, 2, 3}, n) == Io::done));
    Bytes got(16);
    BOOST_TEST((tls.client_end->read(got, n) == Io::done));
    BOOST_TEST(n == 3U);
}

BOOST_AUTO_TEST_CASE(the_last_ticket_is_offered_again) {
    ServerAndClient tls;
    BOOST_REQUIRE((tls.shake_hands() == Io::done));
    std::size_t n = 0;
    Bytes got(16);
    BOOST_TEST((tls.client_end->read(got, n) == Io::wait_read));
    const stream::SslPtr next = tls.client->new_connection();
    BOOST_TEST(SSL_get_session(next.get()) != nullptr);
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_host_is_refused) {
    ServerAndClient tls({.host = "other.example"});
    BOOST_TEST((tls.shake_hands() == Io::failed));
    BOOST_TEST(TlsClient::is_refused(tls.client_end->ssl()));
    BOOST_TEST(tls.error() == "its certificate is not for other.example");
}

BOOST_AUTO_TEST_CASE(a_remedy_is_named_only_for_an_unknown_authority) {
    ServerAndClient late({.ends_s = -3600});
    BOOST_TEST((late.shake_hands() == Io::failed));
    BOOST_TEST(late.error() == "its certificate is not trusted: certificate has expired");
    const SystemAuthorities none("");
    ServerAndClient unknown({.by_system = true});
    BOOST_TEST((unknown.shake_hands() == Io::failed));
    BOOST_TEST(unknown.error() ==
               "its certificate is not trusted: unable to get local issuer certificate; set `ca`");
}

BOOST_AUTO_TEST_CASE(the_present_system_authorities_are_used) {
    ServerAndClient tls;
    const SystemAuthorities has_it(tls.authority.pem());
    tls.connect("one.example", "");
    BOOST_TEST((tls.shake_hands() == Io::done));
    const SystemAuthorities removed("");
    tls.connect("one.example", "");
    BOOST_TEST((tls.shake_hands() == Io::failed));
}

BOOST_AUTO_TEST_CASE(a_host_that_cannot_be_verified_is_refused) {
    BOOST_TEST(!TlsClient::make(std::string("one\0.example", 12), {}, {}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
