// Headers around a DNS message: Ethernet, up to two VLAN tags, IPv4 or IPv6, UDP with its checksum.
//
// Two ways: a received frame is turned around in place (reply.cpp), or headers are written before a
// message of our own. Packets of ours are atomic (RFC 6864): DF set, id 0, never larger than
// kMaxUdpAnswer; TTL and hop limit are 64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/port/port.h"
#include "matchers/prefix/ip_address.h"

struct rte_mbuf;

namespace steer {

// What we send over UDP at most, whatever the client offers: it fits every path (RFC 9715 3.1).
inline constexpr std::uint16_t kMaxUdpAnswer = 1232;

// Bytes of headers as we write and read them: IPv4 without options, IPv6 without extensions; and UDP's protocol number.
inline constexpr std::size_t kIpv4Size = 20, kIpv6Size = 40, kUdpSize = 8;
inline constexpr std::uint8_t kUdpProtocol = 17;

struct FrameHeaders {
    MacAddress to_mac, from_mac;
    std::span<const std::uint8_t> tags;  // 0, 4 or 8 bytes as on the wire
    IpAddress to, from;                  // of one family
    std::uint16_t to_port, from_port;    // host order

    // Bytes before the DNS message.
    [[nodiscard]] std::size_t size() const {
        return 14 + tags.size() + (to.is_v4() ? kIpv4Size : kIpv6Size) + kUdpSize;
    }
};

// Writes size() bytes before `message`, which has `length` bytes and is complete (the checksum is
// over it).
void write_headers(std::uint8_t* message, std::uint16_t length,
                   const FrameHeaders& headers) noexcept;

// Turns a received datagram around: MACs, addresses and ports change places, lengths and checksums are made right
// for `length` bytes of DNS whose checksum is `sum` (as dns::write_reply gives it). `frame` starts with Ethernet,
// IP at `l3_offset`. Returns the frame's new length.
std::uint16_t turn_around(std::uint8_t* frame, std::uint8_t l3_offset, bool is_v6,
                          std::uint16_t length, std::uint64_t sum) noexcept;

}  // namespace steer
