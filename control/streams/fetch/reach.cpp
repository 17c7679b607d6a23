#include "control/streams/fetch/reach.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "matchers/prefix/prefix_set.h"

namespace steer::fetch {
namespace {

struct Range {
    std::string_view prefix;
    Reach reach;
};
constexpr std::array kRanges{
    Range{"0.0.0.0/8", Reach::host},           // this host (RFC 1122 3.2.1.3)
    Range{"127.0.0.0/8", Reach::host},         // loopback
    Range{"169.254.0.0/16", Reach::link},      // link-local, cloud metadata
    Range{"224.0.0.0/4", Reach::link},         // multicast
    Range{"255.255.255.255/32", Reach::link},  // limited broadcast
    Range{"10.0.0.0/8", Reach::network},       // private
    Range{"172.16.0.0/12", Reach::network},    // private
    Range{"192.168.0.0/16", Reach::network},   // private
    Range{"100.64.0.0/10", Reach::network},    // shared (RFC 6598)
    Range{"192.0.0.0/24", Reach::network},     // IETF protocol assignments
    Range{"198.18.0.0/15", Reach::network},    // benchmarking
    Range{"240.0.0.0/4", Reach::network},      // reserved
    Range{"::/127", Reach::host},              // unspecified, loopback
    Range{"fe80::/10", Reach::link},           // link-local
    Range{"ff00::/8", Reach::link},            // multicast
    Range{"fc00::/7", Reach::network},         // unique local
    Range{"fec0::/10", Reach::network},        // site-local (RFC 3879)
    Range{"64:ff9b:1::/48", Reach::network},   // local-use translation (RFC 8215)
};

// Where an IPv6 address carries an IPv4 one. `flip`: its bits are inverted.
struct Carrier {
    std::string_view prefix;
    std::size_t at;
    bool flip;
};
constexpr std::array kCarriers{
    Carrier{"::/96", 12, false},         // IPv4-compatible (RFC 4291 2.5.5.1)
    Carrier{"64:ff9b::/96", 12, false},  // NAT64 (RFC 6052)
    Carrier{"2002::/16", 2, false},      // 6to4 (RFC 3056)
    Carrier{"2001::/32", 4, false},      // Teredo, its server (RFC 4380 4)
    Carrier{"2001::/32", 12, true},      // Teredo, its client
};

bool is_in(const IpAddress& address, std::string_view text) {
    const auto prefix = matchers::Prefix::parse(text);
    return prefix && matchers::Prefix::masked(address, prefix->length).address == prefix->address;
}

Reach listed(const IpAddress& address) {
    Reach nearest = Reach::internet;
    for (const Range& range : kRanges) {
        if (is_in(address, range.prefix)) nearest = std::max(nearest, range.reach);
    }
    return nearest;
}

}  // namespace

Reach reach_of(const IpAddress& address) {
    Reach nearest = listed(address);
    if (address.is_v4()) return nearest;
    for (const Carrier& carrier : kCarriers) {
        if (!is_in(address, carrier.prefix)) continue;
        std::array<std::uint8_t, 4> four{};
        for (std::size_t i = 0; i < four.size(); ++i)
            four[i] = static_cast<std::uint8_t>(address.bytes[carrier.at + i] ^
                                                (carrier.flip ? 0xffU : 0U));
        nearest = std::max(nearest, listed(IpAddress::from_v4(four.data())));
    }
    return nearest;
}

std::string_view name_of(Reach reach) {
    switch (reach) {
        case Reach::internet:
            return "a public address";
        case Reach::network:
            return "a private or reserved address";
        case Reach::link:
            return "a link-local or multicast address";
        case Reach::host:
            return "a loopback address";
    }
    return "an address";
}

}  // namespace steer::fetch
