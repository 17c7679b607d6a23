// A packet of any bytes on one of two links (first byte: whether services are listed, and from which port): what is sent on is a
// message of mDNS that asks for no unicast answer, no longer than one may be, and passes the same filter unchanged.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../require.h"
#include "control/mdns/repeater.h"

using namespace steer;
using namespace steer::mdns;

namespace {

struct Out : Outlet {
    bool send(int, bool, std::span<const std::uint8_t> bytes) override {
        group.emplace_back(bytes.begin(), bytes.end());
        return true;
    }
    bool send_to(const LegacyQuerier&, std::span<const std::uint8_t> bytes) override {
        REQUIRE(bytes.size() <= LegacyQueries::kReplyBytes);
        const auto answer = read_message(bytes);
        REQUIRE(answer && answer->is_response() && answer->questions.size() == 1);
        return true;
    }
    std::vector<std::vector<std::uint8_t>> group;
};

Services listed(bool some) {
    return some ? Services({parse_service("_ipp._tcp").value(), parse_service("_osc._udp").value()})
                : Services();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::uint8_t first[] = {10, 0, 0, 1}, second[] = {10, 0, 1, 1};
    Out out;
    Repeater repeater(out);
    repeater.set_services(listed((data[0] & 1) != 0));
    repeater.set_links({{.if_index = 1,
                         .name = "one",
                         .v4 = true,
                         .networks = {matchers::Prefix::masked(IpAddress::from_v4(first), 120)}},
                        {.if_index = 2,
                         .name = "two",
                         .v4 = true,
                         .networks = {matchers::Prefix::masked(IpAddress::from_v4(second), 120)}}},
                       {}, 0);
    const auto port = static_cast<std::uint16_t>((data[0] & 2) != 0 ? 40'000 : kPort);
    const std::span packet(data + 1, size - 1);
    repeater.receive({.if_index = 1,
                      .source = IpAddress::from_v4(first),
                      .port = port,
                      .hop_limit = 255,
                      .bytes = packet},
                     10);
    // As the answer of the other link to who asked from a port of its own.
    repeater.receive({.if_index = 2,
                      .source = IpAddress::from_v4(second),
                      .port = kPort,
                      .hop_limit = 255,
                      .bytes = packet},
                     2000);
    for (const auto& bytes : out.group) {
        REQUIRE(bytes.size() <= kMaxMessageBytes);
        auto message = read_message(bytes);
        REQUIRE(message && message->id == 0);
        for (const Question& q : message->questions)
            REQUIRE(message->is_response() || (q.klass & kTopBit) == 0);
        PacketFilter again(listed((data[0] & 1) != 0));
        // A host is known by an SRV record that may have come before, or was left out by now.
        if ((data[0] & 1) == 0) REQUIRE(again.prune(*message, 10) == Kept::all);
    }
    return 0;
}
