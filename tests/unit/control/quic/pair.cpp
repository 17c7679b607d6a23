#include "pair.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

namespace steer::quic::test {
namespace {

constexpr std::uint16_t kFirstPort = 20'000;

}  // namespace

Pair::Pair(const config::ServerLimits& limits, const std::string& alpn)
    : world(limits), upstreams(*this, counters, fill_random, *world.memory) {
    if (alpn == "doq") return;
    ServerTlsSettings other{certificate().chain, certificate().key, {}, false, {alpn}, {}};
    world.service->tls = *ServerTls::make(other);
}

QuicPath Pair::path_of(std::uint64_t connection) {
    return {stream::SocketAddress(IpAddress::parse("192.0.2.10").value(),
                                  static_cast<std::uint16_t>(kFirstPort + connection)),
            stream::SocketAddress(IpAddress::parse("192.0.2.1").value(), 853)};
}

Pair::Pair(const HttpPaths& paths, const config::ServerLimits& limits)
    : world(paths, limits),
      upstreams(*this, counters, fill_random, *world.memory),
      protocol(UpstreamProtocol::doh3) {}

void Pair::send(std::uint64_t connection, const QuicPath& path, unsigned,
                std::span<const std::uint8_t> bytes, std::size_t each) {
    BOOST_TEST(sockets.contains(connection));
    while (!bytes.empty()) {
        const auto one = bytes.first(std::min(each, bytes.size()));
        to_server_.push_back({path, Bytes(one.begin(), one.end())});
        bytes = bytes.subspan(one.size());
    }
}

void Pair::take_reply(std::uint64_t connection, std::uint64_t ask, AskEnd end,
                      std::span<const std::uint8_t> bytes, const AnswerFacts& facts) {
    replies.push_back({connection, ask, end, Bytes(bytes.begin(), bytes.end()), facts});
}

void Pair::take_end(std::uint64_t connection, UpstreamEnd end, const std::string& why) {
    BOOST_TEST(!ended.contains(connection));
    ended[connection] = {end, why};
}

std::uint64_t Pair::connect(bool accepts, std::uint64_t tickets) {
    UpstreamOpening opening;
    opening.connection = ++last_connection_;
    opening.tickets = tickets;
    opening.idle_ms = idle_ms;
    opening.keeps_alive = keeps_alive;
    opening.early_data = early_data;
    opening.server_name = "dns.example";
    opening.protocol = protocol;
    opening.http = http;
    sockets.insert(opening.connection);
    upstreams.open(opening, path_of(opening.connection), world.now);
    if (early_data && ready.contains(opening.connection)) return opening.connection;
    run();
    if (accepts && ready.contains(opening.connection)) {
        upstreams.accept(opening.connection);
        run();
    }
    return opening.connection;
}

std::uint64_t Pair::ask(std::uint64_t connection, const Bytes& query) {
    upstreams.ask(connection, ++last_ask_, query);
    return last_ask_;
}

std::shared_ptr<const ServerTls> Pair::early_tls() const {
    const std::string alpn = protocol == UpstreamProtocol::doq ? "doq" : "h3";
    return *ServerTls::make({.chain = certificate().chain,
                             .key = certificate().key,
                             .protocols = {alpn},
                             .ticket_key = std::string(kTicketKeyBytes, 'k'),
                             .early_data = true});
}

void Pair::run_to_server() {
    upstreams.flush(world.now);
    for (const Datagram& one : std::exchange(to_server_, {})) {
        sent.push_back(one.bytes);
        world.server->receive(world.service, one.bytes, 0, {one.path.remote, one.path.local},
                              world.times());
    }
}

void Pair::run(unsigned quiet_ms) {
    for (unsigned quiet = 0; quiet < quiet_ms; ++quiet, world.now += kMillisecond) {
        upstreams.expire(world.now);
        upstreams.flush(world.now);
        for (const Datagram& one : std::exchange(to_server_, {})) {
            quiet = 0;
            sent.push_back(one.bytes);
            if (loses) continue;
            world.server->receive(world.service, one.bytes, 0, {one.path.remote, one.path.local},
                                  world.times());
        }
        world.server->flush(world.times());
        world.server->expire(world.times());
        if (reverses) std::ranges::reverse(world.sent);
        for (const Datagram& one : std::exchange(world.sent, {})) {
            quiet = 0;
            const std::uint64_t connection = one.path.remote.port() - kFirstPort;
            if (!loses && sockets.contains(connection))
                upstreams.receive(connection, one.bytes, 0, world.now);
        }
    }
}

void Pair::pass(std::uint64_t ms) {
    for (const Nanoseconds end = world.now + ms * kMillisecond; world.now < end;)
        run(100);
}

void Pair::answer_all() {
    for (const Passed& query : std::exchange(world.passed, {})) {
        Bytes response = query.message;
        response[2] |= 0x80;
        world.answer(query, response);
    }
    run();
}

}  // namespace steer::quic::test
