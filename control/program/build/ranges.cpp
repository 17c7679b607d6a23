#include "control/program/build/ranges.h"

#include <span>
#include <string_view>
#include <utility>

namespace steer::build {
namespace {

constexpr std::string_view kPrivate[] = {
    "127.0.0.0/8",   "169.254.0.0/16", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
    "100.64.0.0/10",  // shared: clients behind a carrier's NAT (RFC 6598)
    "::1/128",       "fe80::/10",      "fc00::/7",
};

constexpr std::string_view kNever[] = {
    "0.0.0.0/32", "127.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32",
    "::/128",     "::1/128",     "ff00::/8",
};

constexpr std::string_view kSpecial[] = {
    "0.0.0.0/8",       // this network
    "10.0.0.0/8",      // private
    "100.64.0.0/10",   // shared (RFC 6598)
    "127.0.0.0/8",     // loopback
    "169.254.0.0/16",  // link-local
    "172.16.0.0/12",   // private
    "192.0.0.0/24",    // IETF protocol assignments
    "192.88.99.0/24",  // 6to4 relays
    "192.168.0.0/16",  // private
    "224.0.0.0/4",     // multicast
    "240.0.0.0/4",     // reserved, limited broadcast
    "::/128",          // unspecified
    "::1/128",         // loopback
    "100::/64",        // discard (RFC 6666)
    "2001::/32",       // Teredo
    "2001:10::/28",    // ORCHID
    "2001:20::/28",    // ORCHIDv2 (RFC 7343)
    "2002::/16",       // 6to4
    "fc00::/7",        // unique local
    "fe80::/10",       // link-local
    "ff00::/8",        // multicast
};

bool is_v4(const matchers::Prefix& p) {
    return p.length >= 96 && p.address.is_v4();
}

bool holds(const matchers::Prefix& outer, const matchers::Prefix& inner) {
    return outer.length <= inner.length && is_v4(outer) == is_v4(inner) &&
           matchers::Prefix::masked(inner.address, outer.length).address == outer.address;
}

// `outer` without `inner`, which it holds: at each step inwards the other half.
void split_around(const matchers::Prefix& outer, const matchers::Prefix& inner,
                  std::vector<matchers::Prefix>& out) {
    for (unsigned length = outer.length + 1U; length <= inner.length; ++length) {
        matchers::Prefix other = matchers::Prefix::masked(inner.address, length);
        const unsigned bit = length - 1;
        other.address.bytes[bit / 8] ^= static_cast<std::uint8_t>(0x80U >> (bit % 8));
        out.push_back(other);
    }
}

std::vector<matchers::Prefix> parsed(std::span<const std::string_view> texts) {
    std::vector<matchers::Prefix> out;
    for (const auto text : texts)
        out.push_back(matchers::Prefix::parse(text).value());
    return out;
}

}  // namespace

std::vector<matchers::Prefix> private_ranges() {
    return parsed(kPrivate);
}
std::vector<matchers::Prefix> never_ranges() {
    return parsed(kNever);
}
std::vector<matchers::Prefix> special_ranges() {
    return parsed(kSpecial);
}
std::vector<matchers::Prefix> not_global_v6() {
    static constexpr std::string_view kNotGlobal[] = {"::/3", "4000::/2", "8000::/1"};
    return parsed(kNotGlobal);
}

std::vector<matchers::Prefix> without(std::vector<matchers::Prefix> prefixes,
                                      const std::vector<matchers::Prefix>& taken) {
    for (const matchers::Prefix& one : taken) {
        std::vector<matchers::Prefix> left;
        for (const matchers::Prefix& prefix : prefixes) {
            if (holds(one, prefix)) continue;
            if (holds(prefix, one)) {
                split_around(prefix, one, left);
            } else {
                left.push_back(prefix);
            }
        }
        prefixes = std::move(left);
    }
    return prefixes;
}

matchers::Prefix host(const IpAddress& address) {
    return {address, 128};
}

}  // namespace steer::build
