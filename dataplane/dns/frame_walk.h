// Walks the headers before a message in a frame: Ethernet with VLAN tags (IEEE 802.1Q), IPv4 (RFC
// 791), IPv6 with extension headers (RFC 8200 4). Pure. Reads only the given bytes; checks no
// checksum.
//
// Used by the stages that receive and capture frames, by the exception path and by `steerctl
// replay`. classify.cpp uses only the link layer, because it has a verdict for each impossible IP
// length. The BPF program has its own walk.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/dns/wire.h"

namespace steer::dns {

inline constexpr std::uint16_t kEtherIpv4 = 0x0800, kEtherArp = 0x0806, kEtherVlan = 0x8100,
                               kEtherIpv6 = 0x86dd, kEtherServiceVlan = 0x88a8;
inline constexpr std::uint8_t kIpIcmp = 1, kIpTcp = 6, kIpUdp = 17, kIpIcmp6 = 58;
inline constexpr std::size_t kEtherSize = 14, kVlanTagSize = 4, kIpv4Least = 20, kIpv6Least = 40;

constexpr bool is_vlan_tag(std::uint16_t ether_type) {
    return ether_type == kEtherVlan || ether_type == kEtherServiceVlan;
}

// Skips Ethernet and up to two tags. Returns the ethertype before `offset`. No value: the frame is
// too short.
inline std::optional<std::uint16_t> skip_link_layer(const std::uint8_t* frame, std::size_t length,
                                                    std::uint8_t& offset) {
    offset = kEtherSize;
    if (length < offset) return std::nullopt;
    std::uint16_t type = load_be16(frame + offset - 2);
    for (int tags = 0; tags < 2 && is_vlan_tag(type); ++tags) {
        offset = static_cast<std::uint8_t>(offset + kVlanTagSize);
        if (length < offset) return std::nullopt;
        type = load_be16(frame + offset - 2);
    }
    return type;
}

// The payload of an IP packet.
struct IpPayload {
    // whole: no fragment, or an IPv6 fragment header on a packet in one piece ("atomic", RFC 8200
    // 4.5).
    enum class Piece : std::uint8_t { whole, first, later };

    std::uint8_t protocol = 0;            // from the last header that was read
    bool has_fragment_header = false;     // IPv6
    bool is_cut = false;                  // a header is missing, or its length is impossible
    Piece piece = Piece::whole;           // a `later` piece has no header of `protocol`
    std::span<const std::uint8_t> bytes;  // behind the headers, without the frame's padding
    std::size_t missing = 0;              // bytes behind the headers that are not in the frame
};

// Sets `out.bytes` to the first `length` bytes of `rest`, or to all of them if there are fewer.
inline void limit_payload(std::span<const std::uint8_t> rest, std::size_t length, IpPayload& out) {
    const std::size_t there = std::min(length, rest.size());
    out.bytes = rest.first(there);
    out.missing = length - there;
}

// `packet` begins with the IP header.
inline IpPayload walk_ipv4(std::span<const std::uint8_t> packet) {
    constexpr std::uint16_t kPiece = 0x3fff, kOffset = 0x1fff;  // kPiece includes "more fragments"
    IpPayload out;
    out.is_cut = packet.size() < kIpv4Least;
    if (out.is_cut) return out;
    out.protocol = packet[9];
    const std::uint16_t piece = load_be16(&packet[6]) & kPiece;
    if (piece != 0)
        out.piece = (piece & kOffset) != 0 ? IpPayload::Piece::later : IpPayload::Piece::first;
    const std::size_t header = (packet[0] & 15U) * std::size_t{4};
    const std::size_t total = load_be16(&packet[2]);
    out.is_cut = header < kIpv4Least || total < header || packet.size() < header;
    if (!out.is_cut) limit_payload(packet.subspan(header), total - header, out);
    return out;
}

inline IpPayload walk_ipv6(std::span<const std::uint8_t> packet) {
    constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kAuthentication = 51,
                           kDestinationOptions = 60;
    constexpr unsigned kMostExtensions = 8;  // a packet with more counts as cut
    constexpr std::size_t kUnit = 8;
    IpPayload out;
    out.is_cut = packet.size() < kIpv6Least;
    if (out.is_cut) return out;
    out.protocol = packet[6];
    limit_payload(packet.subspan(kIpv6Least), load_be16(&packet[4]), out);
    for (unsigned n = 0;; ++n) {
        const std::uint8_t header = out.protocol;
        if (header != kHopByHop && header != kRouting && header != kFragment &&
            header != kAuthentication && header != kDestinationOptions)
            return out;
        if (header == kFragment) out.has_fragment_header = true;
        out.is_cut = n == kMostExtensions || out.bytes.size() < kUnit;
        if (out.is_cut) return out;
        std::size_t length = kUnit;
        if (header == kAuthentication) {
            length = (out.bytes[1] + std::size_t{2}) * 4;  // RFC 4302 2.2
        } else if (header != kFragment) {
            length = (out.bytes[1] + std::size_t{1}) * kUnit;
        } else {
            const std::uint16_t place = load_be16(&out.bytes[2]);
            if ((place & 0xfff8U) != 0) {
                out.piece = IpPayload::Piece::later;
            } else if ((place & 1U) != 0) {
                out.piece = IpPayload::Piece::first;
            }
        }
        out.is_cut = out.bytes.size() < length;
        if (out.is_cut) return out;
        out.protocol = out.bytes[0];
        out.bytes = out.bytes.subspan(length);
        if (out.piece == IpPayload::Piece::later) return out;
    }
}

}  // namespace steer::dns
