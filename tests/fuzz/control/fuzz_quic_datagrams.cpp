// Datagrams from anyone into the server's side of QUIC, each behind two bytes of its length, in
// more and more time. Nothing is sent to an address that sent less, except what a handshake allows
// (RFC 9000 8.1), and no server is left with more connections than datagrams.
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "../require.h"
#include "certificate.h"
#include "control/streams/quic/server.h"
#include "matchers/prefix/ip_address.h"
#include "support/quic_account.h"

namespace {

using namespace steer;
using namespace steer::quic;

struct Wire final : QuicServer::Sender, QueryTaker {
    void send(const QuicPath&, unsigned, std::span<const std::uint8_t> bytes,
              std::size_t each) override {
        REQUIRE(each > 0 && each <= bytes.size());
        sent_bytes += bytes.size();
    }
    bool take_query(const StreamQuery& query) override {
        REQUIRE(query.message.size() >= 12);
        return true;
    }
    std::size_t sent_bytes = 0;
};

const std::shared_ptr<const QuicService>& service() {
    static const std::shared_ptr<const QuicService> kService = [] {
        auto made = std::make_shared<QuicService>();
        auto tls = ServerTls::make({fuzz::kCertificate,
                                    fuzz::kKey,
                                    {},
                                    false,
                                    {"doq"},
                                    std::string(kTicketKeyBytes, 'k')});
        REQUIRE(tls.has_value());
        made->tls = *tls;
        return made;
    }();
    return kService;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Wire wire;
    std::uint8_t state = 1;  // ids that come again
    QuicAccount one;
    const auto random = [&state](std::span<std::uint8_t> bytes) {
        for (auto& byte : bytes)
            byte = state = static_cast<std::uint8_t>(state * 5 + 3);
    };
    QuicServer server(0, 1, {}, wire, wire, random, one.memory);
    const QuicPath path{stream::SocketAddress(IpAddress::parse("192.0.2.1").value(), 853),
                        stream::SocketAddress(IpAddress::parse("192.0.2.9").value(), 4'000)};
    Times times{1'000 * kSecond, 1'700'000'000 * kSecond};
    std::span<const std::uint8_t> left(data, size);
    std::size_t datagrams = 0, bytes = 0;
    while (left.size() >= 2) {
        std::uint16_t length = 0;
        std::memcpy(&length, left.data(), sizeof length);
        left = left.subspan(2);
        const auto datagram = left.first(std::min<std::size_t>(length, left.size()));
        left = left.subspan(datagram.size());
        bytes += datagram.size();
        ++datagrams;
        server.receive(service(), datagram, 0, path, times);
        server.flush(times);
        times.now += 10 * kMillisecond;
        server.expire(times);
        REQUIRE(server.open() <= datagrams);
        REQUIRE(wire.sent_bytes <= 3 * bytes + 64);
    }
    return 0;
}
