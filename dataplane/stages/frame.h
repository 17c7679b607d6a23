// Headers around a DNS message: Ethernet, up to two VLAN tags, IPv4 or IPv6, UDP with its checksum.
//
// Two methods: a received frame is turned around in place (reply.cpp), or headers are written
// before our own message. Our packets are atomic (RFC 6864): DF set, id 0, never larger than
// kMaxUdpAnswer; TTL and hop limit are 64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/client_facts.h"
#include "dataplane/port/next_hop.h"
#include "dataplane/port/port.h"
#include "matchers/prefix/ip_address.h"

struct rte_mbuf;

namespace steer {

// Largest UDP message that we send, for any size in the client's EDNS. It fits every path (RFC 9715
// 3.1).
inline constexpr std::uint16_t kMaxUdpAnswer = 1232;

// Sizes of the headers that we write and read: IPv4 without options, IPv6 without extensions; UDP's
// protocol number.
inline constexpr std::size_t kIpv4Size = 20, kIpv6Size = 40, kUdpSize = 8;
inline constexpr std::uint8_t kUdpProtocol = 17;

struct FrameHeaders {
    MacAddress to_mac, from_mac;
    std::span<const std::uint8_t> tags;  // 0, 4 or 8 bytes as on the wire
    IpAddress to, from;                  // of the same family
    std::uint16_t to_port, from_port;    // host order

    // Bytes of headers before the DNS message.
    [[nodiscard]] std::size_t size() const {
        return 14 + tags.size() + (to.is_v4() ? kIpv4Size : kIpv6Size) + kUdpSize;
    }
};

// Sets the MAC and VLAN of the client that sent this frame, whose IP header is at `l3_offset`.
void read_link_facts(const std::uint8_t* frame, std::uint8_t l3_offset,
                     ClientFacts& client) noexcept;

// Writes size() bytes before `message`, which has `length` bytes. The message must be complete,
// because the checksum covers it.
void write_headers(std::uint8_t* message, std::uint16_t length,
                   const FrameHeaders& headers) noexcept;

// Replaces what is before the IP header of a frame that we send: addresses and tags are those of the
// hop. `l3_offset` is that of the present frame. Needs 4 bytes of headroom.
void write_link_layer(rte_mbuf& frame, std::uint8_t l3_offset, const NextHop& hop) noexcept;

// Turns a received datagram around: swaps MACs, addresses and ports. Corrects lengths and checksums
// for `length` bytes of DNS with the checksum `sum` (from dns::write_reply). `frame` starts with
// Ethernet, IP is at `l3_offset`. Returns the frame's new length.
std::uint16_t turn_around(std::uint8_t* frame, std::uint8_t l3_offset, bool is_v6,
                          std::uint16_t length, std::uint64_t sum) noexcept;
// The same for a datagram with a whole checksum (PendingChecksum::is_whole), to which `change` is
// added. No sum over addresses and message is needed.
std::uint16_t turn_around_by_change(std::uint8_t* frame, std::uint8_t l3_offset, bool is_v6,
                                    std::uint16_t length, std::uint16_t change) noexcept;
// That change, when a message of `from_length` bytes gets `to_length`. Sums: checksum_fold() of the
// messages without their IDs, which are equal (RFC 1624).
std::uint16_t checksum_change(std::uint16_t from_sum, std::uint16_t from_length,
                              std::uint16_t to_sum, std::uint16_t to_length) noexcept;

}  // namespace steer
