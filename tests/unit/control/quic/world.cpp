#include "world.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include <boost/test/unit_test.hpp>
#include <ctime>

namespace steer::quic::test {
namespace {

std::string text_of(gnutls_datum_t& datum) {
    std::string text(reinterpret_cast<const char*>(datum.data), datum.size);
    gnutls_free(datum.data);
    return text;
}

}  // namespace

Pem make_certificate() {
    gnutls_x509_privkey_t key = nullptr;
    gnutls_x509_crt_t made = nullptr;
    gnutls_x509_privkey_init(&key);
    gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    gnutls_x509_crt_init(&made);
    gnutls_x509_crt_set_version(made, 3);
    gnutls_x509_crt_set_serial(made, "\1", 1);
    gnutls_x509_crt_set_activation_time(made, 0);
    gnutls_x509_crt_set_expiration_time(made, std::time(nullptr) + 86'400);
    gnutls_x509_crt_set_dn(made, "CN=dns.example", nullptr);
    gnutls_x509_crt_set_subject_alt_name(made, GNUTLS_SAN_DNSNAME, "dns.example", 11,
                                         GNUTLS_FSAN_SET);
    gnutls_x509_crt_set_key(made, key);
    BOOST_REQUIRE(gnutls_x509_crt_sign2(made, made, key, GNUTLS_DIG_SHA256, 0) >= 0);
    gnutls_datum_t chain{}, secret{};
    BOOST_REQUIRE(gnutls_x509_crt_export2(made, GNUTLS_X509_FMT_PEM, &chain) >= 0);
    BOOST_REQUIRE(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, nullptr,
                                                    GNUTLS_PKCS_PLAIN, &secret) >= 0);
    gnutls_x509_crt_deinit(made);
    gnutls_x509_privkey_deinit(key);
    Pem pem{text_of(chain), text_of(secret)};
    return pem;
}

const Pem& certificate() {
    static const Pem pem = make_certificate();
    return pem;
}

World::World(const config::ServerLimits& limits, unsigned thread, unsigned threads,
             const ServerTlsSettings& settings) {
    service = std::make_shared<QuicService>();
    service->number = 7;
    service->limits = limits;
    ServerTlsSettings own = settings;
    own.chain = certificate().chain;
    own.key = certificate().key;
    if (own.protocols.empty()) own.protocols = {"doq"};
    own.ticket_key = std::string(kTicketKeyBytes, 'k');
    auto tls = ServerTls::make(own);
    BOOST_REQUIRE(tls.has_value());
    service->tls = *tls;
    make_server(thread, threads);
}

void World::make_server(unsigned thread, unsigned threads) {
    QuicSecrets secrets;
    secrets.tokens.fill(1);
    secrets.resets.fill(2);
    server =
        std::make_unique<QuicServer>(thread, threads, secrets, *this, *this, fill_random, *memory);
}

void World::limit_memory(std::uint64_t bytes, std::uint64_t reserve) {
    server.reset();
    process = std::make_shared<ProcessMemory>(bytes, reserve);
    memory = std::make_unique<ThreadMemory>(process);
    make_server(0, 1);
}

World::World(const HttpPaths& http, const config::ServerLimits& limits)
    : World(limits, 0, 1, {.protocols = {"h3"}}) {
    service->protocol = config::ServerProtocol::http3;
    service->http = http;
}

void World::send(const QuicPath& path, unsigned, std::span<const std::uint8_t> bytes,
                 std::size_t each) {
    while (!bytes.empty()) {
        const auto one = bytes.first(std::min(each, bytes.size()));
        sent.push_back({path, Bytes(one.begin(), one.end())});
        bytes = bytes.subspan(one.size());
    }
}

bool World::take_query(const StreamQuery& query) {
    if (!has_room) return false;
    passed.push_back({query.connection, query.stream, query.addresses,
                      std::string(query.server_name), query.path, std::string(query.forwarded_for),
                      Bytes(query.message.begin(), query.message.end())});
    return true;
}

Client& World::connect(Client::Settings settings) {
    if (clients.size() > 0)
        settings.port = static_cast<std::uint16_t>(settings.port + clients.size());
    clients.push_back(std::make_unique<Client>(settings, now));
    return *clients.back();
}

// Datagrams may wait for their time, because ngtcp2 spreads them.
void World::run() {
    constexpr unsigned kQuiet = 60;  // milliseconds without a datagram
    for (unsigned quiet = 0; quiet < kQuiet; ++quiet, now += kMillisecond) {
        for (const auto& client : clients) {
            client->expire(now);
            for (const Datagram& one : client->write(now)) {
                server->receive(service, one.bytes, 0, {one.path.remote, one.path.local}, times());
                quiet = 0;
            }
        }
        server->flush(times());
        server->expire(times());
        for (const Datagram& one : std::exchange(sent, {})) {
            for (const auto& client : clients) {
                if (client->is_at(one.path.remote) && one.bytes.size() <= largest)
                    client->read(one, now);
            }
            quiet = 0;
        }
    }
}

Client& World::connected(const Client::Settings& settings) {
    Client& client = connect(settings);
    run();
    return client;
}

void World::begin(unsigned count, const Client::Settings& settings) {
    for (unsigned i = 0; i < count; ++i) {
        for (const Datagram& one : connect(settings).write(now))
            server->receive(service, one.bytes, 0, {one.path.remote, one.path.local}, times());
        server->flush(times());
        sent.clear();
    }
}

void World::pass(std::uint64_t ms) {
    for (const Nanoseconds end = now + ms * kMillisecond; now < end; now += 100 * kMillisecond)
        run();
}

std::vector<Bytes> World::receive(const Bytes& bytes, std::uint16_t port) {
    const QuicPath path{stream::SocketAddress(IpAddress::parse("192.0.2.1").value(), 853),
                        stream::SocketAddress(IpAddress::parse("192.0.2.99").value(), port)};
    server->receive(service, bytes, 0, path, times());
    server->flush(times());
    std::vector<Bytes> all;
    for (const Datagram& one : std::exchange(sent, {}))
        all.push_back(one.bytes);
    return all;
}

void World::answer(const Passed& query, const Bytes& response, QueryEnd end) {
    server->answer(query.connection, query.stream, end, response, times());
}

Bytes message(std::uint16_t id) {
    return {static_cast<std::uint8_t>(id >> 8),
            static_cast<std::uint8_t>(id & 0xff),
            1,
            0,
            0,
            1,
            0,
            0,
            0,
            0,
            0,
            0,
            7,
            'e',
            'x',
            'a',
            'm',
            'p',
            'l',
            'e',
            0,
            0,
            1,
            0,
            1};
}

Bytes framed(const Bytes& message) {
    Bytes all{static_cast<std::uint8_t>(message.size() >> 8),
              static_cast<std::uint8_t>(message.size() & 0xff)};
    all.insert(all.end(), message.begin(), message.end());
    return all;
}

}  // namespace steer::quic::test
