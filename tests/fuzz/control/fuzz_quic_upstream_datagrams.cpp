// Datagrams from an upstream into a connection that begins, each behind two bytes of its length, in
// more and more time. The connection's own ids are always the same, so the keys of first packets
// are. Each connection ends once, and its socket is forgotten once.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "../require.h"
#include "control/streams/quic/tls.h"
#include "control/streams/quic/upstream_connections.h"
#include "matchers/prefix/ip_address.h"
#include "support/quic_account.h"

namespace {

using namespace steer;
using namespace steer::quic;

struct Owner final : UpstreamConnections::Owner {
    void send(std::uint64_t, const QuicPath&, unsigned, std::span<const std::uint8_t> bytes,
              std::size_t each) override {
        REQUIRE(sockets == 1 && each > 0 && each <= bytes.size());
    }
    void forget(std::uint64_t) override { REQUIRE(sockets-- == 1); }
    void take_ready(const UpstreamReady&) override { REQUIRE(false); }  // it has no key for that
    void take_streams(std::uint64_t, std::uint64_t) override { REQUIRE(false); }
    void take_reply(std::uint64_t, std::uint64_t, AskEnd end, std::span<const std::uint8_t>,
                    const AnswerFacts&) override {
        REQUIRE(end == AskEnd::unprocessed);
    }
    void take_end(std::uint64_t, UpstreamEnd, const std::string&) override { REQUIRE(++ends == 1); }
    unsigned sockets = 1, ends = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Owner owner;
    QuicCounters counters;
    std::uint8_t state = 1;
    QuicAccount one;
    const auto random = [&state](std::span<std::uint8_t> bytes) {
        for (auto& byte : bytes)
            byte = state = static_cast<std::uint8_t>(state * 5 + 3);
    };
    UpstreamConnections all(owner, counters, random, one.memory);
    const QuicPath path{stream::SocketAddress(IpAddress::parse("192.0.2.9").value(), 4'000),
                        stream::SocketAddress(IpAddress::parse("192.0.2.1").value(), 853)};
    Nanoseconds now = 1'000 * kSecond;
    UpstreamOpening opening;
    opening.connection = 1;
    opening.idle_ms = 10'000;
    opening.server_name = "dns.example";
    all.open(opening, path, now);
    all.flush(now);
    std::span<const std::uint8_t> left(data, size);
    while (left.size() >= 2) {
        std::uint16_t length = 0;
        std::memcpy(&length, left.data(), sizeof length);
        left = left.subspan(2);
        const auto datagram = left.first(std::min<std::size_t>(length, left.size()));
        left = left.subspan(datagram.size());
        all.receive(1, datagram, 0, now);
        all.ask(1, 1, datagram);
        all.flush(now);
        now += 10 * kMillisecond;
        all.expire(now);
        REQUIRE(all.size() == owner.sockets);
    }
    all.close(1, now);
    all.flush(now);
    return 0;
}
