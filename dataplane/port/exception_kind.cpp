#include "dataplane/port/exception_kind.h"

#include <cstddef>

#include "dataplane/dns/wire.h"

namespace steer {
namespace {

constexpr std::size_t kEthernet = 14, kTag = 4, kIpv4 = 20, kIpv6 = 40;
constexpr std::uint16_t kTypeIpv4 = 0x0800, kTypeArp = 0x0806, kTypeIpv6 = 0x86dd,
                        kTypeVlan = 0x8100, kTypeServiceVlan = 0x88a8;
constexpr std::uint8_t kHopByHop = 0, kIcmp = 1, kTcp = 6, kUdp = 17, kRouting = 43, kFragment = 44,
                       kIcmp6 = 58, kDestinationOptions = 60;
constexpr std::uint8_t kFirstDiscovery = 133, kLastDiscovery = 137;  // RFC 4861 4

using dns::load_be16;

ExceptionKind of_protocol(std::uint8_t protocol) {
    switch (protocol) {
        case kIcmp:
            return ExceptionKind::icmp;
        case kTcp:
            return ExceptionKind::tcp;
        case kUdp:
            return ExceptionKind::udp;
        default:
            return ExceptionKind::other;
    }
}

ExceptionKind of_ipv4(std::span<const std::uint8_t> ip) {
    if (ip.size() < kIpv4) return ExceptionKind::other;
    if ((load_be16(&ip[6]) & 0x3fff) != 0) return ExceptionKind::fragment;
    return of_protocol(ip[9]);
}

ExceptionKind of_ipv6(std::span<const std::uint8_t> ip) {
    if (ip.size() < kIpv6) return ExceptionKind::other;
    std::uint8_t next = ip[6];
    std::size_t at = kIpv6;
    // Headers of 8 bytes and more: the loop ends with the frame.
    while (next == kHopByHop || next == kRouting || next == kDestinationOptions) {
        if (ip.size() < at + 8) return ExceptionKind::other;
        next = ip[at];
        at += (std::size_t{ip[at + 1]} + 1) * 8;
    }
    if (next == kFragment) return ExceptionKind::fragment;
    if (next == kIcmp6) {
        if (ip.size() <= at) return ExceptionKind::other;
        return ip[at] >= kFirstDiscovery && ip[at] <= kLastDiscovery ? ExceptionKind::nd
                                                                     : ExceptionKind::icmp6;
    }
    return next == kIcmp ? ExceptionKind::other : of_protocol(next);
}

}  // namespace

ExceptionKind exception_kind(std::span<const std::uint8_t> frame) noexcept {
    if (frame.size() < kEthernet) return ExceptionKind::other;
    std::size_t at = kEthernet;
    std::uint16_t type = load_be16(&frame[at - 2]);
    for (int tags = 0; tags < 2 && (type == kTypeVlan || type == kTypeServiceVlan); ++tags) {
        at += kTag;
        if (frame.size() < at) return ExceptionKind::other;
        type = load_be16(&frame[at - 2]);
    }
    switch (type) {
        case kTypeArp:
            return ExceptionKind::arp;
        case kTypeIpv4:
            return of_ipv4(frame.subspan(at));
        case kTypeIpv6:
            return of_ipv6(frame.subspan(at));
        default:
            return ExceptionKind::other;
    }
}

}  // namespace steer
