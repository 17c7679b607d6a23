// Upstreams behind connections: connections are kept, a lost connection loses no answer,
// silent upstreams are not waited for, names are looked up.
#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <mutex>

#include "control/streams/upstream/socks5.h"
#include "control/streams/upstream/upstream_pool.h"
#include "dataplane/dns/wire.h"
#include "dataplane/forward/forwarder.h"
#include "world.h"

using namespace steer;
using namespace steer::test;
using stream::Transport;
using stream::UpstreamTarget;

namespace {

constexpr std::uint16_t kId = 7;
const IpAddress kHere = address("127.0.0.1");

// One upstream, which the test itself is.
struct PoolWorld {
    explicit PoolWorld(UpstreamTarget wanted = {}) {
        target = std::move(wanted);
        target.id = kId;
        target.name = "up";
        if (target.scheme == stream::UpstreamScheme::udp && !is_udp)
            target.scheme = stream::UpstreamScheme::tcp;
        if (!target.address && target.host.empty()) target.address = kHere;
        if (target.port == 53) target.port = server.port();
    }
    void begin() {
        state = std::make_shared<stream::UpstreamState>(
            target.name, [this](const std::string& sentence) { logged.push_back(sentence); });
        auto directory = std::make_shared<stream::UpstreamDirectory>();
        directory->emplace(
            kId, stream::UpstreamEntry{std::make_shared<const UpstreamTarget>(target), state});
        w.thread->set_upstreams(directory);
    }
    void ask(std::uint16_t id, std::string_view name, std::uint32_t timeout_ms = 2000) {
        w.ask_channel(kId, make_query(id, name), id, timeout_ms);
    }
    // The next connection that is made to the upstream.
    Peer& connection() {
        BOOST_REQUIRE(w.until([&] {
            auto fresh = server.accept();
            if (fresh) connections.push_back(std::make_unique<Peer>(std::move(*fresh)));
            return fresh.has_value();
        }));
        return *connections.back();
    }
    Bytes query(Peer& peer) {
        std::optional<Bytes> found;
        BOOST_REQUIRE(w.until([&] { return (found = peer.next_framed()).has_value(); }));
        return *found;
    }
    bool replied(std::size_t n) {
        return w.until([&] { return w.replies.size() >= n; });
    }
    void check_reply(std::size_t i, std::uint16_t id, std::string_view name) {
        BOOST_TEST_REQUIRE(w.replies.size() > i);
        BOOST_TEST(w.replies[i].token == id);
        BOOST_TEST_REQUIRE(w.replies[i].b == 0U);
        BOOST_TEST(StreamWorld::bytes_of(w.replies[i]) == make_response(make_query(id, name), 1));
    }

    // From now on the test is the upstream's proxy.
    void be_proxy() {
        target.proxy = stream::Socks5Proxy{"127.0.0.1", server.port(), "", ""};
        target.address = address("192.0.2.1");
        target.host = "192.0.2.1";
        target.port = 53;
    }
    void expect(Peer& peer, const Bytes& wanted) {
        BOOST_REQUIRE(w.until([&] {
            peer.receive();
            return peer.in.size() >= wanted.size();
        }));
        BOOST_TEST(peer.in == wanted, boost::test_tools::per_element());
        peer.in.clear();
    }
    // The next connection to the proxy, greeted.
    Peer& proxy() {
        Peer& peer = connection();
        expect(peer, {5, 1, 0});
        peer.send({5, 0});
        return peer;
    }

    static constexpr bool is_udp = false;
    Peer server = Peer::bound(Transport::tcp, kHere);
    UpstreamTarget target;
    std::shared_ptr<stream::UpstreamState> state;
    std::vector<std::string> logged;
    std::vector<std::unique_ptr<Peer>> connections;
    StreamWorld w;
};

// Requests to a proxy (RFC 1928 4, 7), and its replies (6).
const Bytes kAssociate{5, 3, 0, 1, 0, 0, 0, 0, 0, 0};
const Bytes kConnect{5, 1, 0, 1, 192, 0, 2, 1, 0, 53};
const Bytes kToUpstream{0, 0, 0, 1, 192, 0, 2, 1, 0, 53};
// "Here", at this port.
Bytes bound_to(std::uint16_t port) {
    return {5,
            0,
            0,
            1,
            0,
            0,
            0,
            0,
            static_cast<std::uint8_t>(port >> 8),
            static_cast<std::uint8_t>(port)};
}
Bytes joined(Bytes head, const Bytes& rest) {
    head.insert(head.end(), rest.begin(), rest.end());
    return head;
}
// To the query in a datagram to the relay.
Bytes response_to(const Bytes& datagram) {
    return make_response(Bytes(datagram.begin() + 10, datagram.end()), 1);
}

// An upstream behind a proxy, whose relay for datagrams is the test as well.
struct ProxiedDatagrams : PoolWorld {
    explicit ProxiedDatagrams(stream::UpstreamScheme scheme = stream::UpstreamScheme::udp) {
        be_proxy();
        target.scheme = scheme;
        begin();
    }
    std::pair<Bytes, stream::SocketAddress> datagram() {
        std::optional<std::pair<Bytes, stream::SocketAddress>> got;
        BOOST_REQUIRE(w.until([&] { return (got = relay.receive_from()).has_value(); }));
        BOOST_REQUIRE(got->first.size() > 10 + dns::kHeaderSize);
        return *got;
    }
    Peer relay = Peer::bound(Transport::udp, kHere);
};

using Ipv4 = std::array<std::uint8_t, 4>;

// Answers the lookups of an upstream's name and of its proxy's.
struct Resolver {
    explicit Resolver(PoolWorld& world) : p(world) {
        p.target.bootstrap = {kHere, socket.port()};
        p.target.family = stream::AddressFamily::v4;
    }
    // `of_first`: the addresses of proxy.example, or of the upstream if there is no proxy.
    void answer(const std::vector<Ipv4>& of_first, const std::vector<Ipv4>& of_upstream) {
        std::size_t left = of_upstream.empty() ? 1 : 3;  // the proxy's has both families
        while (left > 0) {
            std::optional<std::pair<Bytes, stream::SocketAddress>> asked;
            BOOST_REQUIRE(p.w.until([&] { return (asked = socket.receive_from()).has_value(); }));
            const bool is_proxy = asked->first[13] == 'p';
            const auto& all = of_upstream.empty() || is_proxy ? of_first : of_upstream;
            const bool is_a = asked->first[12 + (is_proxy ? 15 : 13) + 1] == 1;
            Bytes reply = make_response(asked->first, is_a ? 1 : 0);
            reply.resize(12 + (is_proxy ? 15 : 13) + 4);  // without the OPT
            reply[7] = is_a ? static_cast<std::uint8_t>(all.size()) : 0;
            reply[11] = 0;
            for (const Ipv4& one : is_a ? all : std::vector<Ipv4>{}) {
                const Bytes head{0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4};
                reply.insert(reply.end(), head.begin(), head.end());
                reply.insert(reply.end(), one.begin(), one.end());
            }
            socket.send_to(reply, asked->second);
            --left;
        }
    }
    PoolWorld& p;
    Peer socket = Peer::bound(Transport::udp, kHere);
};

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_pool)

BOOST_AUTO_TEST_CASE(a_connection_is_used_again) {
    PoolWorld p;
    p.begin();
    p.ask(11, "a.example");
    Peer& peer = p.connection();
    peer.send_framed(make_response(p.query(peer), 1));
    BOOST_REQUIRE(p.replied(1));
    p.check_reply(0, 11, "a.example");
    p.ask(12, "b.example");
    peer.send_framed(make_response(p.query(peer), 1));
    BOOST_REQUIRE(p.replied(2));
    p.check_reply(1, 12, "b.example");
    BOOST_TEST(p.w.count(StreamCount::upstream_connects) == 1U);
    BOOST_TEST(p.state->report().connections == 1U);
    BOOST_TEST(p.state->report().address == "127.0.0.1");
    BOOST_TEST(p.logged.empty());
}

BOOST_AUTO_TEST_CASE(without_pipelining_each_connection_has_one_query) {
    UpstreamTarget target;
    target.max_conns = 2;
    PoolWorld p(target);
    p.begin();
    for (std::uint16_t id = 1; id <= 3; ++id)
        p.ask(id, "n" + std::to_string(id) + ".example");
    Peer& first = p.connection();
    Peer& second = p.connection();
    const Bytes one = p.query(first);
    p.query(second);
    BOOST_TEST(!first.next_framed().has_value());
    first.send_framed(make_response(one, 1));
    BOOST_REQUIRE(p.replied(1));
    first.send_framed(make_response(p.query(first), 1));  // the third
    BOOST_REQUIRE(p.replied(2));
    BOOST_TEST(!p.server.accept().has_value());
}

BOOST_AUTO_TEST_CASE(pipelined_queries_are_answered_in_any_order) {
    UpstreamTarget target;
    target.pipeline = true;
    PoolWorld p(target);
    p.begin();
    for (std::uint16_t id = 1; id <= 3; ++id)
        p.ask(5, "n" + std::to_string(id) + ".example");  // all with the same id
    Peer& peer = p.connection();
    const Bytes one = p.query(peer), two = p.query(peer), three = p.query(peer);
    BOOST_TEST((one[0] != two[0] || one[1] != two[1]));
    peer.send_framed(make_response(three, 1));
    Bytes lie = make_response(one, 1);
    lie[13] ^= 1;  // another name
    peer.send_framed(lie);
    peer.send_framed(make_response(one, 1));
    peer.send_framed(make_response(two, 1));
    BOOST_REQUIRE(p.replied(3));
    p.check_reply(0, 5, "n3.example");
    p.check_reply(1, 5, "n1.example");
    p.check_reply(2, 5, "n2.example");
    BOOST_TEST(p.w.count(StreamCount::upstream_unmatched) == 1U);
    BOOST_TEST(p.w.count(StreamCount::upstream_connects) == 1U);
}

// RFC 7766 6.2.4: the server may close at any time.
BOOST_AUTO_TEST_CASE(a_query_on_a_closing_connection_is_retried_once) {
    PoolWorld p;
    p.begin();
    p.ask(1, "a.example");
    Peer& first = p.connection();
    p.query(first);
    p.connections.clear();  // closed
    Peer& second = p.connection();
    BOOST_TEST(p.query(second) != make_query(1, "b.example"));
    p.connections.clear();
    BOOST_REQUIRE(p.replied(1));
    BOOST_TEST(p.w.replies[0].b == kUpstreamDropsQuery);
    BOOST_TEST(p.w.count(StreamCount::upstream_again) == 1U);
    BOOST_TEST(p.state->report().connections == 0U);
}

BOOST_AUTO_TEST_CASE(a_query_on_a_silent_connection_is_retried_on_another) {
    PoolWorld p;
    p.begin();
    p.ask(1, "a.example");
    Peer& dead = p.connection();
    p.query(dead);
    p.w.pass(std::chrono::milliseconds(stream::UpstreamPool::kSilenceMs));
    Peer& alive = p.connection();
    alive.send_framed(make_response(p.query(alive), 1));
    BOOST_REQUIRE(p.replied(1));
    p.check_reply(0, 1, "a.example");
    BOOST_TEST(p.w.count(StreamCount::upstream_silent) == 1U);
    p.ask(2, "b.example");  // not on the silent one
    alive.send_framed(make_response(p.query(alive), 1));
    BOOST_REQUIRE(p.replied(2));
    p.w.pass(std::chrono::milliseconds(stream::UpstreamPool::kGiveUpMs));
    BOOST_TEST(p.w.until([&] { return !dead.receive(); }));
}

BOOST_AUTO_TEST_CASE(a_byte_ends_a_silence) {
    UpstreamTarget target;
    target.pipeline = true;
    PoolWorld p(target);
    p.begin();
    p.ask(1, "a.example", 20'000);
    Peer& peer = p.connection();
    const Bytes slow = p.query(peer);
    for (std::uint16_t id = 2; id < 5; ++id) {
        p.w.pass(std::chrono::milliseconds(stream::UpstreamPool::kSilenceMs - 300));
        p.ask(id, "b.example");
        peer.send_framed(make_response(p.query(peer), 1));
        BOOST_REQUIRE(p.replied(id - 1U));
    }
    peer.send_framed(make_response(slow, 1));
    BOOST_REQUIRE(p.replied(4));
    BOOST_TEST(p.w.count(StreamCount::upstream_silent) == 0U);
}

BOOST_AUTO_TEST_CASE(a_refused_connection_fails_at_once_and_is_reported_once) {
    UpstreamTarget target;
    {
        const Peer gone = Peer::bound(Transport::tcp, kHere);
        target.port = gone.port();
    }
    PoolWorld p(target);
    p.begin();
    for (std::uint16_t id = 1; id <= 2; ++id) {
        p.ask(id, "a.example");
        BOOST_REQUIRE(p.replied(id));
        BOOST_TEST(p.w.replies.back().b == static_cast<unsigned>(ECONNREFUSED));
    }
    BOOST_TEST_REQUIRE(p.logged.size() == 1U);
    BOOST_TEST(p.logged[0] == "upstream up cannot be asked: connecting to 127.0.0.1:" +
                                  std::to_string(target.port) + " failed: Connection refused");
    BOOST_TEST(p.w.count(StreamCount::upstream_connects_failed) == 2U);
}

BOOST_AUTO_TEST_CASE(idle_connections_are_closed_except_those_that_are_kept) {
    for (const std::uint32_t kept : {0U, 1U}) {
        UpstreamTarget target;
        target.min_conns = kept;
        PoolWorld p(target);
        p.begin();
        p.ask(1, "a.example");
        Peer& peer = p.connection();
        peer.send_framed(make_response(p.query(peer), 1));
        BOOST_REQUIRE(p.replied(1));
        p.w.pass(std::chrono::milliseconds(target.idle_timeout_ms));
        if (kept == 0) {
            BOOST_TEST(p.w.until([&] { return !peer.receive(); }));
        } else {
            p.ask(2, "b.example");
            p.query(peer);
        }
    }
}

BOOST_AUTO_TEST_CASE(min_conns_connections_are_kept_without_queries) {
    UpstreamTarget target;
    target.min_conns = 2;
    PoolWorld p(target);
    p.begin();
    p.connection();
    p.connection();
    BOOST_TEST(p.w.until([&] { return p.state->report().connections == 2; }));
}

BOOST_AUTO_TEST_CASE(connections_of_a_removed_upstream_are_closed) {
    PoolWorld p;
    p.begin();
    p.ask(1, "a.example");
    Peer& peer = p.connection();
    p.query(peer);
    p.w.thread->set_upstreams(std::make_shared<stream::UpstreamDirectory>());
    BOOST_TEST(p.w.until([&] { return !peer.receive(); }));
    p.ask(2, "b.example");
    BOOST_REQUIRE(p.replied(1));
    BOOST_TEST(p.w.replies[0].b == static_cast<unsigned>(ENOENT));
}

// (What closes them is tested where addresses can go: tests/e2e/wan_e2e.py.)
BOOST_AUTO_TEST_CASE(connections_of_an_unchanged_upstream_stay) {
    PoolWorld p;
    p.begin();
    p.ask(1, "a.example");
    Peer& peer = p.connection();
    const Bytes query = p.query(peer);
    p.w.thread->network_changed();
    peer.send_framed(make_response(query, 1));
    BOOST_REQUIRE(p.replied(1));
    p.check_reply(0, 1, "a.example");
    p.ask(2, "b.example");
    p.query(peer);
    BOOST_TEST(p.w.count(StreamCount::upstream_connects) == 1U);
}

BOOST_AUTO_TEST_CASE(a_name_is_resolved_by_its_bootstrap_and_again_after_its_ttl) {
    Peer bootstrap = Peer::bound(Transport::udp, kHere);
    UpstreamTarget target;
    target.host = "dns.example";
    target.bootstrap = {kHere, bootstrap.port()};
    target.family = stream::AddressFamily::v4;
    std::vector<IpAddress> reported;  // and needed since then
    {
        PoolWorld p(target);
        p.w.thread->report_addresses([&](const void*, std::span<const IpAddress> addresses) {
            reported.assign(addresses.begin(), addresses.end());
        });
        p.begin();
        const auto resolve = [&](unsigned answers) {
            std::optional<std::pair<Bytes, stream::SocketAddress>> asked;
            BOOST_REQUIRE(
                p.w.until([&] { return (asked = bootstrap.receive_from()).has_value(); }));
            Bytes reply = make_response(asked->first, answers);
            reply.resize(12 + 17);  // without the OPT
            reply[11] = 0;
            if (answers > 0) {
                const Bytes record{0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1};
                reply.insert(reply.end(), record.begin(), record.end());
            }
            bootstrap.send_to(reply, asked->second);
        };
        p.ask(1, "a.example");
        resolve(0);
        BOOST_REQUIRE(p.replied(1));
        BOOST_TEST(p.w.replies[0].b == static_cast<unsigned>(EHOSTUNREACH));
        BOOST_TEST(p.logged.back() ==
                   "upstream up cannot be asked: there is no address of dns.example");
        p.ask(2, "a.example");
        resolve(1);
        Peer& peer = p.connection();
        peer.send_framed(make_response(p.query(peer), 1));
        BOOST_REQUIRE(p.replied(2));
        p.check_reply(1, 2, "a.example");
        BOOST_TEST(p.logged.back() == "upstream up can be asked again, at 127.0.0.1");
        BOOST_TEST((reported == std::vector<IpAddress>{kHere}));
        // Past its TTL, and without a resolver that answers, the address is still used.
        p.w.pass(std::chrono::milliseconds(61'000));
        BOOST_TEST(p.w.until([&] { return !peer.receive(); }));
        p.ask(3, "b.example");
        Peer& next = p.connection();
        next.send_framed(make_response(p.query(next), 1));
        BOOST_REQUIRE(p.replied(3));
        BOOST_TEST(bootstrap.receive_from().has_value());
        BOOST_TEST((reported == std::vector<IpAddress>{kHere}));
    }
    BOOST_TEST(reported.empty());
}

BOOST_AUTO_TEST_CASE(datagrams_go_to_a_resolved_name_and_truncated_answers_use_tcp) {
    Peer bootstrap = Peer::bound(Transport::udp, kHere);
    Peer upstream = Peer::bound(Transport::udp, kHere);
    PoolWorld p;
    p.target.scheme = stream::UpstreamScheme::udp;
    p.target.port = upstream.port();
    p.target.mark = 0;
    p.begin();
    p.ask(1, "a.example");
    std::optional<std::pair<Bytes, stream::SocketAddress>> asked;
    BOOST_REQUIRE(p.w.until([&] { return (asked = upstream.receive_from()).has_value(); }));
    upstream.send_to(make_response(asked->first, 1), asked->second);
    BOOST_REQUIRE(p.replied(1));
    p.check_reply(0, 1, "a.example");
    p.w.ask_channel(kId, make_query(2, "a.example"), 2, 2000, UpstreamVia::tcp);
    BOOST_REQUIRE(p.replied(2));
    BOOST_TEST(p.w.replies[1].b == static_cast<unsigned>(ECONNREFUSED));  // there it is UDP alone
    BOOST_TEST(p.w.count(StreamCount::upstream_tcp) == 1U);
}

BOOST_AUTO_TEST_CASE(a_proxy_gets_user_password_and_name) {
    PoolWorld p;
    p.target.address.reset();
    p.target.host = "dns.example";
    p.target.proxy = stream::Socks5Proxy{"127.0.0.1", p.server.port(), "me", "secret"};
    p.target.port = 853;
    p.begin();
    p.ask(1, "a.example");
    Peer& proxy = p.connection();
    const auto expect = [&](const Bytes& wanted) {
        BOOST_REQUIRE(p.w.until([&] {
            proxy.receive();
            return proxy.in.size() >= wanted.size();
        }));
        BOOST_TEST(proxy.in == wanted, boost::test_tools::per_element());
        proxy.in.clear();
    };
    expect({5, 2, 0, 2});
    proxy.send({5, 2});
    expect({1, 2, 'm', 'e', 6, 's', 'e', 'c', 'r', 'e', 't'});
    proxy.send({1, 0});
    expect({5, 1, 0, 3, 11, 'd', 'n', 's', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e', 3, 85});
    proxy.send({5, 0, 0, 1, 0, 0, 0, 0, 0, 0});
    proxy.send_framed(make_response(p.query(proxy), 1));
    BOOST_REQUIRE(p.replied(1));
    p.check_reply(0, 1, "a.example");
}

// ---- a proxy (RFC 1928)

// QUIC's connections are another process's (quic_upstreams_test.cpp), and pass no proxy.
bool is_here(unsigned scheme) {
    return !config::kSchemeFacts[scheme].is_over_quic;
}

BOOST_AUTO_TEST_CASE(every_scheme_connects_to_its_proxy) {
    for (unsigned n = 0; n < static_cast<unsigned>(stream::UpstreamScheme::count_); ++n) {
        if (!is_here(n)) continue;
        BOOST_TEST_CONTEXT("scheme " << n) {
            PoolWorld p;
            p.target.scheme = static_cast<stream::UpstreamScheme>(n);
            p.be_proxy();
            p.begin();
            p.ask(1, "a.example");
            p.expect(p.connection(), {5, 1, 0});
        }
    }
}

BOOST_AUTO_TEST_CASE(every_scheme_uses_its_interface) {
    for (unsigned n = 0; n < static_cast<unsigned>(stream::UpstreamScheme::count_); ++n) {
        if (!is_here(n)) continue;
        for (const bool proxied : {false, true}) {
            BOOST_TEST_CONTEXT("scheme " << n << ", proxied " << proxied) {
                PoolWorld p;
                p.target.scheme = static_cast<stream::UpstreamScheme>(n);
                p.target.device = "no-such0";
                if (proxied) p.be_proxy();
                p.begin();
                p.ask(1, "a.example");
                BOOST_REQUIRE(p.replied(1));
                BOOST_TEST(p.w.replies[0].b == static_cast<unsigned>(ENODEV));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(datagrams_go_through_the_relay_of_the_proxy) {
    ProxiedDatagrams p;
    p.ask(1, "a.example");
    Peer& proxy = p.proxy();
    p.expect(proxy, kAssociate);
    proxy.send(bound_to(p.relay.port()));
    for (std::uint16_t id = 1; id <= 3; ++id) {  // one association carries them all
        const std::string name(1, static_cast<char>('a' + id));
        if (id > 1) p.ask(id, name + ".example");
        const auto [bytes, from] = p.datagram();
        BOOST_TEST(Bytes(bytes.begin(), bytes.begin() + 10) == kToUpstream,
                   boost::test_tools::per_element());
        Bytes other = kToUpstream;
        other[7] = 2;  // another sender than the upstream
        p.relay.send_to(joined(other, response_to(bytes)), from);
        Bytes fragment = kToUpstream;
        fragment[2] = 1;
        p.relay.send_to(joined(fragment, response_to(bytes)), from);
        p.relay.send_to(Bytes(3), from);
        BOOST_TEST(p.w.replies.size() == id - 1U);
        p.relay.send_to(joined(kToUpstream, response_to(bytes)), from);
        BOOST_REQUIRE(p.replied(id));
        BOOST_TEST(p.w.replies[id - 1U].token == id);
        BOOST_TEST(p.w.replies[id - 1U].b == 0U);
    }
    BOOST_TEST(p.w.count(StreamCount::upstream_connects) == 1U);
    BOOST_TEST(p.w.count(StreamCount::upstream_unmatched) == 9U);
    // A truncated reply is asked for again over TCP, through the proxy as well.
    p.w.ask_channel(kId, make_query(9, "z.example"), 9, 2000, UpstreamVia::tcp);
    Peer& stream = p.proxy();
    p.expect(stream, kConnect);
    stream.send(bound_to(0));
    stream.send_framed(make_response(p.query(stream), 1));
    BOOST_REQUIRE(p.replied(4));
    p.check_reply(3, 9, "z.example");
}

BOOST_AUTO_TEST_CASE(a_proxy_without_a_relay_for_datagrams_is_asked_over_tcp) {
    for (const Bytes& refusal : {Bytes{5, 7, 0, 1, 0, 0, 0, 0, 0, 0}, Bytes{}}) {
        ProxiedDatagrams p;
        p.ask(1, "a.example");
        Peer& first = p.proxy();
        p.expect(first, kAssociate);
        if (refusal.empty()) {
            first.shut_down_sending();
        } else {
            first.send(refusal);
        }
        Peer& second = p.proxy();
        p.expect(second, kConnect);
        second.send(bound_to(0));
        second.send_framed(make_response(p.query(second), 1));
        BOOST_REQUIRE(p.replied(1));
        p.check_reply(0, 1, "a.example");
        BOOST_TEST(p.logged.empty());
    }
}

BOOST_AUTO_TEST_CASE(a_relay_that_brings_no_reply_is_replaced_by_tcp) {
    ProxiedDatagrams p;
    p.ask(1, "a.example", 4000);
    Peer& first = p.proxy();
    p.expect(first, kAssociate);
    first.send(bound_to(p.relay.port()));
    p.datagram();
    p.w.pass(std::chrono::milliseconds(1'100));
    Peer& second = p.proxy();
    p.expect(second, kConnect);
    second.send(bound_to(0));
    second.send_framed(make_response(p.query(second), 1));
    BOOST_REQUIRE(p.replied(1));
    p.check_reply(0, 1, "a.example");
}

BOOST_AUTO_TEST_CASE(a_silent_association_is_followed_by_one_to_another_address) {
    PoolWorld p;
    p.be_proxy();
    p.target.scheme = stream::UpstreamScheme::udp;
    p.target.address.reset();
    p.target.host = "dns.example";
    Resolver names(p);
    Peer relay = Peer::bound(Transport::udp, kHere);
    const auto associate = [&] {
        Peer& proxy = p.proxy();
        p.expect(proxy, kAssociate);
        proxy.send(bound_to(relay.port()));
    };
    // The last byte of the upstream's address in the next datagram; `alive` ones reply.
    const auto asked = [&](int alive) {
        std::optional<std::pair<Bytes, stream::SocketAddress>> got;
        BOOST_REQUIRE(p.w.until([&] { return (got = relay.receive_from()).has_value(); }));
        const auto& [bytes, from] = *got;
        Bytes head(bytes.begin(), bytes.begin() + 10);
        if (head[7] == alive) relay.send_to(joined(head, response_to(bytes)), from);
        return static_cast<int>(head[7]);
    };
    p.begin();
    p.ask(1, "a.example", 4000);
    names.answer({{192, 0, 2, 1}, {192, 0, 2, 2}}, {});
    associate();
    BOOST_TEST(asked(1) == 1);
    BOOST_REQUIRE(p.replied(1));
    // It dies, and the relay is known to work.
    for (std::uint16_t id = 2; id <= 3; ++id) {
        p.ask(id, "b.example", 4000);
        if (id == 2) {
            BOOST_TEST(asked(2) == 1);
            p.w.pass(std::chrono::milliseconds(stream::UpstreamPool::kSilenceMs + 100));
            associate();
        }
        BOOST_TEST(asked(2) == 2);
        BOOST_REQUIRE(p.replied(id));
        BOOST_TEST(p.w.replies[id - 1U].b == 0U);
    }
    BOOST_TEST(p.logged.empty());
}

BOOST_AUTO_TEST_CASE(forged_replies_end_an_association) {
    ProxiedDatagrams p;
    p.ask(1, "a.example", 4000);
    Peer& first = p.proxy();
    p.expect(first, kAssociate);
    first.send(bound_to(p.relay.port()));
    const auto [bytes, from] = p.datagram();
    const std::uint16_t id = dns::load_be16(&bytes[10]);
    for (std::uint16_t guess = 1; guess <= 10; ++guess) {
        const auto wrong = static_cast<std::uint16_t>(id + guess);
        p.relay.send_to(joined(kToUpstream, make_response(make_query(wrong, "a.example"), 1)),
                        from);
    }
    Peer& second = p.proxy();
    p.expect(second, kConnect);
    second.send(bound_to(0));
    second.send_framed(make_response(p.query(second), 1));
    BOOST_REQUIRE(p.replied(1));
    p.check_reply(0, 1, "a.example");
}

BOOST_AUTO_TEST_CASE(an_association_ends_with_its_connection) {
    ProxiedDatagrams p;
    p.ask(1, "a.example", 4000);
    {
        Peer& first = p.proxy();
        p.expect(first, kAssociate);
        first.send(bound_to(p.relay.port()));
        const auto [bytes, from] = p.datagram();
        p.relay.send_to(joined(kToUpstream, response_to(bytes)), from);
        BOOST_REQUIRE(p.replied(1));
        first.shut_down_sending();
    }
    BOOST_REQUIRE(p.w.until([&] { return p.state->report().connections == 0; }));
    p.ask(2, "b.example");
    Peer& second = p.proxy();
    p.expect(second, kAssociate);
}

BOOST_AUTO_TEST_CASE(a_proxy_that_refuses_the_only_upstream_is_final) {
    for (const auto scheme : {stream::UpstreamScheme::tcp, stream::UpstreamScheme::udp}) {
        ProxiedDatagrams p(scheme);
        p.ask(1, "a.example");
        if (scheme == stream::UpstreamScheme::udp) {
            Peer& first = p.proxy();
            p.expect(first, kAssociate);
            first.send({5, 2, 0, 1, 0, 0, 0, 0, 0, 0});
        }
        Peer& proxy = p.proxy();
        p.expect(proxy, kConnect);
        proxy.send({5, 2, 0, 1, 0, 0, 0, 0, 0, 0});
        BOOST_REQUIRE(p.replied(1));
        BOOST_TEST(p.w.replies[0].b == static_cast<unsigned>(EREMOTEIO));
        BOOST_TEST(p.logged.back().ends_with("its rules do not allow it"));
    }
}

BOOST_AUTO_TEST_CASE(each_pair_of_proxy_and_upstream_address_is_tried) {
    PoolWorld p;
    p.be_proxy();
    p.target.proxy->host = "proxy.example";
    p.target.address.reset();
    p.target.host = "dns.example";
    Resolver names(p);
    p.begin();
    p.ask(1, "a.example", 4000);
    names.answer({{127, 0, 0, 1}, {127, 0, 0, 2}}, {{192, 0, 2, 1}, {192, 0, 2, 2}});
    // 127.0.0.2 refuses connections, and the proxy refuses 192.0.2.1: only one of four pairs is good.
    for (bool good = false; !good;) {
        Peer& proxy = p.proxy();
        Bytes request;
        BOOST_REQUIRE(p.w.until([&] {
            proxy.receive();
            return proxy.in.size() >= 10;
        }));
        good = proxy.in[7] == 2;
        proxy.in.clear();
        proxy.send(good ? bound_to(0) : Bytes{5, 5, 0, 1, 0, 0, 0, 0, 0, 0});
        if (good) proxy.send_framed(make_response(p.query(proxy), 1));
    }
    BOOST_REQUIRE(p.replied(1));
    p.check_reply(0, 1, "a.example");
    BOOST_TEST(p.logged.empty());
    BOOST_TEST(p.w.count(StreamCount::upstream_connects_failed) <= 3U);
}

BOOST_AUTO_TEST_CASE(a_refusal_by_one_of_two_addresses_is_no_failed_upstream) {
    PoolWorld p;
    p.target.address.reset();
    p.target.host = "dns.example";
    Resolver names(p);
    p.begin();
    for (std::uint16_t id = 1; id <= 3; ++id)
        p.ask(id, "a.example", 4000);
    names.answer({{127, 0, 0, 2}, {127, 0, 0, 1}}, {});
    for (std::size_t n = 0; n < 3; ++n) {
        std::optional<Bytes> asked;
        Peer* by = nullptr;
        BOOST_REQUIRE(p.w.until([&] {
            if (auto fresh = p.server.accept())
                p.connections.push_back(std::make_unique<Peer>(std::move(*fresh)));
            for (std::size_t i = 0; i < p.connections.size() && !asked; ++i) {
                by = p.connections[i].get();
                asked = by->next_framed();
            }
            return asked.has_value() || p.w.replies.size() > n;
        }));
        BOOST_REQUIRE(asked.has_value());  // else it failed
        by->send_framed(make_response(*asked, 1));
        BOOST_REQUIRE(p.replied(n + 1));
        BOOST_TEST(p.w.replies[n].b == 0U);
    }
    BOOST_TEST(p.logged.empty());
}

BOOST_AUTO_TEST_CASE(a_refusal_of_the_proxy_is_reported) {
    using namespace steer::stream::socks5;
    const stream::Socks5Proxy anonymous{"p", 1080, "", ""}, known{"p", 1080, "u", "p"};
    const auto text = [](const auto& result) { return result.error().text; };
    BOOST_TEST(text(wants_password(Bytes{5, 255}, anonymous)) ==
               "it requires a user and a password");
    BOOST_TEST(text(wants_password(Bytes{5, 255}, known)) ==
               "it accepts neither this user nor an anonymous one");
    BOOST_TEST(text(wants_password(Bytes{72, 84}, known)) == "it does not speak SOCKS5");
    BOOST_TEST(!wants_password(Bytes{5, 0}, known).value());
    BOOST_TEST(text(password_taken(Bytes{1, 1})) == "it does not accept this user and password");
    BOOST_TEST(text(rest_of_reply(Bytes{5, 5, 0, 1, 0})) == "the upstream refused the connection");
    BOOST_TEST(text(rest_of_reply(Bytes{5, 77, 0, 1, 0})) == "it refused with code 77");
    BOOST_TEST(text(rest_of_reply(Bytes{5, 0, 0, 9, 0})) == "it does not speak SOCKS5");
    BOOST_TEST(rest_of_reply(Bytes{5, 0, 0, 4, 0}).value() == 17U);
    BOOST_TEST(rest_of_reply(Bytes{5, 0, 0, 3, 9}).value() == 11U);
    const Bytes v6 = request(address("2001:db8::1"), "", 53);
    BOOST_TEST(v6.size() == 4U + 16U + 2U);
    BOOST_TEST(v6[3] == 4);
}

BOOST_AUTO_TEST_CASE(ending_with_everything_open_leaks_nothing) {
    UpstreamTarget target;
    target.pipeline = true;
    PoolWorld p(target);
    p.begin();
    p.ask(1, "a.example");
    Peer& peer = p.connection();
    p.query(peer);
    p.ask(2, "b.example");
    p.query(peer);
    p.w.thread->set_upstreams(std::make_shared<stream::UpstreamDirectory>());
    p.begin();
    p.ask(3, "c.example");
    p.w.turn();
}

BOOST_AUTO_TEST_SUITE_END()
