// PROXY headers: what they say, who is believed, and what becomes of bad ones.
#include <boost/test/unit_test.hpp>

#include "control/host/net/tls_server.h"
#include "control/streams/listen/proxy_header.h"
#include "tls/tls_peer.h"

using namespace steer;
using namespace steer::test;
using namespace std::chrono_literals;
using stream::kProxyFixedBytes;
using stream::proxy_header_length;
using stream::read_proxy_header;
using stream::Transport;

namespace {

constexpr std::uint8_t kLocal = 0x20, kProxy = 0x21;

Bytes header(std::uint8_t command, std::uint8_t family, const Bytes& rest) {
    Bytes h{13, 10, 13, 10, 0, 13, 10, 'Q', 'U', 'I', 'T', 10, command, family};
    h.push_back(static_cast<std::uint8_t>(rest.size() >> 8));
    h.push_back(static_cast<std::uint8_t>(rest.size()));
    h.insert(h.end(), rest.begin(), rest.end());
    return h;
}
// 198.51.100.7:4242 to 192.0.2.1:53
const Bytes kTcp4{198, 51, 100, 7, 192, 0, 2, 1, 0x10, 0x92, 0, 53};

Bytes tcp6() {
    Bytes rest(36);
    const auto client = address("2001:db8::7"), server = address("2001:db8::53");
    std::copy(client.bytes.begin(), client.bytes.end(), rest.begin());
    std::copy(server.bytes.begin(), server.bytes.end(), rest.begin() + 16);
    rest[32] = 0x10, rest[33] = 0x92;
    return rest;
}

std::optional<std::size_t> length_of(const Bytes& h) {
    return proxy_header_length(std::span(h).first<kProxyFixedBytes>());
}

stream::Service behind_proxy(std::string_view proxy = "127.0.0.1") {
    return {.proxies = matchers::PrefixSet({matchers::Prefix::parse(proxy).value()})};
}

struct ProxyWorld : StreamWorld {
    ProxyWorld() { answer_all = true; }
    Peer connect() { return Peer::connected(Transport::tcp, address("127.0.0.1"), port); }
    std::uint16_t port = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_proxy)

BOOST_AUTO_TEST_CASE(the_client_address_is_read_from_the_header) {
    const auto v4 = read_proxy_header(header(kProxy, 0x11, kTcp4));
    BOOST_REQUIRE(v4.has_value());
    BOOST_TEST((v4->is_known && v4->address == address("198.51.100.7") && v4->port == 4242));
    const auto v6 = read_proxy_header(header(kProxy, 0x21, tcp6()));
    BOOST_REQUIRE(v6.has_value());
    BOOST_TEST((v6->is_known && v6->address == address("2001:db8::7") && v6->port == 4242));
    BOOST_TEST(!read_proxy_header(header(kLocal, 0x11, kTcp4))->is_known);
    BOOST_TEST(!read_proxy_header(header(kProxy, 0, {}))->is_known);
}

BOOST_AUTO_TEST_CASE(an_invalid_header_is_found_by_its_first_bytes) {
    BOOST_TEST((length_of(header(kProxy, 0x11, kTcp4)) == 28U));
    BOOST_TEST(!length_of(header(0x11, 0x11, kTcp4)));  // version 1
    BOOST_TEST(!length_of(header(0x22, 0x11, kTcp4)));  // no such command
    BOOST_TEST((length_of(header(kProxy, 0x11, Bytes(4080))) == 4096U));
    BOOST_TEST(!length_of(header(kProxy, 0x11, Bytes(4081))));
    for (std::size_t i = 0; i < 12; ++i) {
        Bytes h = header(kProxy, 0x11, kTcp4);
        h[i] ^= 1;
        BOOST_TEST(!length_of(h));
    }
    BOOST_TEST(!read_proxy_header(header(kProxy, 0x11, Bytes(11))));
    BOOST_TEST(!read_proxy_header(header(kProxy, 0x21, Bytes(35))));
    BOOST_TEST(!read_proxy_header(header(kProxy, 0x12, kTcp4)));  // UDP
    BOOST_TEST(!read_proxy_header(header(kProxy, 0x31, Bytes(216))));
}

BOOST_FIXTURE_TEST_CASE(a_query_has_the_client_address_of_the_header, ProxyWorld) {
    port = listen_tcp(behind_proxy());
    Peer client = connect();
    Bytes all = header(kProxy, 0x11, kTcp4);
    const Bytes query = make_query(7, "n.example");
    all.push_back(0);
    all.push_back(static_cast<std::uint8_t>(query.size()));
    all.insert(all.end(), query.begin(), query.end());
    for (const std::uint8_t byte : all) {
        BOOST_REQUIRE(until([&] { return client.send({byte}); }));
        turn();
    }
    BOOST_REQUIRE(until([&] { return client.next_framed().has_value(); }));
    BOOST_TEST((queries.at(0).header.client == address("198.51.100.7")));
    BOOST_TEST(queries.at(0).header.client_port == 4242);
}

BOOST_FIXTURE_TEST_CASE(tls_starts_after_the_header, ProxyWorld) {
    SkippingClock clock;
    TempFolder folder;
    Authority authority;
    auto service = behind_proxy();
    service.tls = std::make_shared<stream::TlsServer>(std::vector<std::string>{"dot"}, clock);
    BOOST_REQUIRE(service.tls->load(files_of(folder, authority.issue("one.example"))).has_value());
    port = listen_tcp(std::move(service));
    const auto context = client_context(authority);
    Peer socket = connect();
    BOOST_REQUIRE(until([&] { return socket.send(header(kProxy, 0x21, tcp6())); }));
    TlsPeer client(std::move(socket), context.get());
    BOOST_REQUIRE(until([&] { return client.shake_hands(); }));
    BOOST_REQUIRE(client.send_framed(make_query(1, "n.example")));
    BOOST_REQUIRE(until([&] { return client.next_framed().has_value(); }));
    BOOST_TEST((queries.at(0).header.client == address("2001:db8::7")));
}

BOOST_FIXTURE_TEST_CASE(headers_of_untrusted_proxies_are_ignored, ProxyWorld) {
    port = listen_tcp(behind_proxy("192.0.2.0/24"));
    Peer client = connect();
    BOOST_REQUIRE(until([&] { return client.send_framed(make_query(7, "n.example")); }));
    BOOST_REQUIRE(until([&] { return client.next_framed().has_value(); }));
    BOOST_TEST((queries.at(0).header.client == address("127.0.0.1")));
    Peer liar = connect();
    BOOST_REQUIRE(until([&] { return liar.send(header(kProxy, 0x11, kTcp4)); }));
    liar.shut_down_sending();
    BOOST_TEST(until([&] { return !liar.receive(); }));
    BOOST_TEST(queries.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_trusted_proxy_without_a_header_is_closed, ProxyWorld) {
    port = listen_tcp(behind_proxy());
    for (const Bytes& bad : {make_query(7, "no.header.example"), header(kProxy, 0x31, Bytes(216)),
                             header(kProxy, 0x11, Bytes(11)), header(0x11, 0x11, kTcp4)}) {
        Peer client = connect();
        BOOST_REQUIRE(until([&] { return client.send(bad); }));
        BOOST_TEST(until([&] { return !client.receive(); }));
    }
    BOOST_TEST(count(StreamCount::tcp_bad_proxy) == 4U);
    Peer silent = connect();
    BOOST_REQUIRE(until([&] { return thread->connections() == 1; }));
    pass(6s);
    BOOST_TEST(until([&] { return !silent.receive(); }));
    BOOST_TEST(count(StreamCount::tcp_opening_late) == 1U);
    BOOST_TEST(queries.empty());
}

BOOST_FIXTURE_TEST_CASE(limits_count_by_the_client_in_the_header, ProxyWorld) {
    auto service = behind_proxy();
    service.limits.max_connections_per_client = 2;
    port = listen_tcp(std::move(service));
    std::vector<Peer> clients;
    for (int i = 0; i < 6; ++i) {
        clients.push_back(connect());
        Bytes of = kTcp4;
        of[3] = static_cast<std::uint8_t>(i < 3 ? 1 : i);  // three of one, one of each other
        BOOST_REQUIRE(until([&] { return clients.back().send(header(kProxy, 0x11, of)); }));
    }
    BOOST_TEST(until([&] { return count(StreamCount::tcp_over_client_limit) == 1; }));
    BOOST_TEST(until([&] { return thread->connections() == 5; }));
}

BOOST_AUTO_TEST_SUITE_END()
