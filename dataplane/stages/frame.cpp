#include "dataplane/stages/frame.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "dataplane/dns/checksum.h"
#include "dataplane/dns/frame_walk.h"
#include "dataplane/dns/wire.h"

namespace steer {
namespace {

using dns::store_be16;

constexpr std::uint8_t kTtl = 64;

template <class T>
T load(const std::uint8_t* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}
template <class T>
void store(std::uint8_t* at, T value) {
    std::memcpy(at, &value, sizeof value);
}

// A 16-bit field as stored in memory, to combine several into one word (little-endian, as checksum.h).
constexpr std::uint64_t field(std::uint16_t host_order) {
    return __builtin_bswap16(host_order);
}

// Writes the IPv4 header except the addresses, which are already there; `addresses` is their sum.
void complete_ipv4(std::uint8_t* ip, std::uint16_t udp_length, std::uint64_t addresses) {
    const auto total = static_cast<std::uint16_t>(kIpv4Size + udp_length);
    constexpr std::uint16_t kFirst = 0x4500, kDontFragment = 0x4000,
                            kTtlAndUdp = kTtl << 8 | kUdpProtocol;
    const std::uint64_t words = std::uint64_t{kFirst} + total + kDontFragment + kTtlAndUdp;
    const std::uint32_t sum = 0xffffU & ~checksum_fold(addresses + checksum_words(words));
    store(ip, field(kFirst) | field(total) << 16 | field(kDontFragment) << 48);  // id: 0
    store(ip + 8, static_cast<std::uint32_t>(field(kTtlAndUdp)) | sum << 16);
}

void complete_ipv6(std::uint8_t* ip, std::uint16_t udp_length) {
    ip[0] = 0x60;
    ip[1] = ip[2] = ip[3] = 0;
    store_be16(ip + 4, udp_length);
    ip[6] = kUdpProtocol;
    ip[7] = kTtl;
}

// Writes IP and UDP around a payload whose sum is `payload`, except addresses, which are already there. `addresses` is the
// sum of the IP header's (narrow), `ports` both ports in wire order. Loads no data that was stored just before.
[[gnu::always_inline]] inline void complete(std::uint8_t* ip, bool is_v6, std::uint16_t udp_length,
                                            std::uint64_t addresses, std::uint32_t ports,
                                            std::uint64_t payload) {
    if (is_v6) {
        complete_ipv6(ip, udp_length);
    } else {
        complete_ipv4(ip, udp_length, addresses);
    }
    // The length counts twice: in UDP's header and in the pseudo-header (RFC 768, RFC 8200 8.1).
    const std::uint64_t words = 2U * udp_length + kUdpProtocol;
    const std::uint64_t sum = addresses + payload + ports + checksum_words(words);
    const std::uint64_t inverse = 0xffffU & ~checksum_fold(sum);
    const std::uint64_t checksum = inverse == 0 ? 0xffffU : inverse;  // 0 would mean none (RFC 768)
    store(ip + (is_v6 ? kIpv6Size : kIpv4Size), ports | field(udp_length) << 32 | checksum << 48);
}

// Both MAC addresses, written together with the bytes behind them.
void swap_macs(std::uint8_t* frame) {
    using Bytes = std::uint8_t __attribute__((vector_size(16)));
    const auto b = load<Bytes>(frame);
    store(frame,
          __builtin_shufflevector(b, b, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 12, 13, 14, 15));
}

// Returns their sum.
[[gnu::always_inline]] inline std::uint64_t swap_addresses(std::uint8_t* ip, bool is_v6) {
    if (is_v6) {
        const std::uint64_t sum = checksum_narrow(checksum_add(0, ip + 8, 32));
        std::swap_ranges(ip + 8, ip + 24, ip + 24);
        return sum;
    }
    const auto both = load<std::uint64_t>(ip + 12);
    store(ip + 12, std::rotl(both, 32));
    return checksum_narrow(both);
}

}  // namespace

void write_headers(std::uint8_t* message, std::uint16_t length, const FrameHeaders& h) noexcept {
    const bool is_v6 = !h.to.is_v4();
    std::uint8_t* const ip = message - kUdpSize - (is_v6 ? kIpv6Size : kIpv4Size);
    std::uint8_t* const frame = ip - dns::kEtherSize - h.tags.size();
    std::memcpy(frame, h.to_mac.data(), h.to_mac.size());
    std::memcpy(frame + h.to_mac.size(), h.from_mac.data(), h.from_mac.size());
    if (!h.tags.empty()) std::memcpy(frame + 2 * h.to_mac.size(), h.tags.data(), h.tags.size());
    store_be16(ip - sizeof(std::uint16_t), is_v6 ? dns::kEtherIpv6 : dns::kEtherIpv4);
    std::uint64_t addresses;
    if (is_v6) {
        std::memcpy(ip + 8, h.from.bytes.data(), h.from.bytes.size());
        std::memcpy(ip + 24, h.to.bytes.data(), h.to.bytes.size());
        addresses = checksum_narrow(
            checksum_add(checksum_add(0, h.from.bytes.data(), 16), h.to.bytes.data(), 16));
    } else {
        const std::uint64_t both =
            load<std::uint32_t>(h.from.v4()) | std::uint64_t{load<std::uint32_t>(h.to.v4())} << 32;
        store(ip + 12, both);
        addresses = checksum_narrow(both);
    }
    const auto ports = static_cast<std::uint32_t>(field(h.from_port) | field(h.to_port) << 16);
    complete(ip, is_v6, static_cast<std::uint16_t>(kUdpSize + length), addresses, ports,
             checksum_narrow(checksum_add(0, message, length)));
}

void read_link_facts(const std::uint8_t* frame, std::uint8_t l3_offset,
                     ClientFacts& client) noexcept {
    constexpr std::uint16_t kId = 0x0fff;
    std::memcpy(client.mac.data(), frame + client.mac.size(), client.mac.size());
    // The innermost tag's number is in front of the last ethertype.
    client.vlan = l3_offset == dns::kEtherSize
                      ? std::uint16_t{0}
                      : static_cast<std::uint16_t>(dns::load_be16(frame + l3_offset - 4) & kId);
}

void write_link_layer(rte_mbuf& frame, std::uint8_t l3_offset, const NextHop& hop) noexcept {
    constexpr std::uint16_t kTagSize = 4, kTag = 0x8100;
    const auto wanted = static_cast<std::uint16_t>(dns::kEtherSize + (hop.tagged ? kTagSize : 0));
    const bool is_v6 = (*rte_pktmbuf_mtod_offset(&frame, std::uint8_t*, l3_offset) >> 4) == 6;
    const auto moved = static_cast<std::uint16_t>(wanted - l3_offset);  // modulo 2^16
    frame.data_off = static_cast<std::uint16_t>(frame.data_off - moved);
    frame.data_len = static_cast<std::uint16_t>(frame.data_len + moved);
    frame.pkt_len = frame.data_len;
    std::uint8_t* at = rte_pktmbuf_mtod(&frame, std::uint8_t*);
    at = std::copy(hop.peer_mac.begin(), hop.peer_mac.end(), at);
    at = std::copy(hop.own_mac.begin(), hop.own_mac.end(), at);
    if (hop.tagged) {
        store_be16(at, kTag);
        store_be16(at + 2, hop.vlan_tci);
        at += kTagSize;
    }
    store_be16(at, is_v6 ? dns::kEtherIpv6 : dns::kEtherIpv4);
}

std::uint16_t turn_around(std::uint8_t* frame, std::uint8_t l3_offset, bool is_v6,
                          std::uint16_t length, std::uint64_t sum) noexcept {
    swap_macs(frame);
    std::uint8_t* const ip = frame + l3_offset;
    const std::size_t ip_size = is_v6 ? kIpv6Size : kIpv4Size;
    const std::uint32_t ports = std::rotl(load<std::uint32_t>(ip + ip_size), 16);
    const std::uint64_t addresses = swap_addresses(ip, is_v6);
    complete(ip, is_v6, static_cast<std::uint16_t>(kUdpSize + length), addresses, ports, sum);
    return static_cast<std::uint16_t>(l3_offset + ip_size + kUdpSize + length);
}

std::uint16_t turn_around_by_change(std::uint8_t* frame, std::uint8_t l3_offset, bool is_v6,
                                    std::uint16_t length, std::uint16_t change) noexcept {
    swap_macs(frame);
    std::uint8_t* const ip = frame + l3_offset;
    const std::size_t ip_size = is_v6 ? kIpv6Size : kIpv4Size;
    const auto udp = load<std::uint64_t>(ip + ip_size);
    const auto udp_length = static_cast<std::uint16_t>(kUdpSize + length);
    const std::uint64_t addresses = swap_addresses(ip, is_v6);
    if (is_v6) {
        complete_ipv6(ip, udp_length);
    } else {
        complete_ipv4(ip, udp_length, addresses);
    }
    // Never 0, because the query's was not.
    const std::uint32_t sum = static_cast<std::uint32_t>(udp >> 48) + change;
    const std::uint64_t checksum = (sum & 0xffffU) + (sum >> 16);
    store(ip + ip_size, std::uint64_t{std::rotl(static_cast<std::uint32_t>(udp), 16)} |
                            field(udp_length) << 32 | checksum << 48);
    return static_cast<std::uint16_t>(l3_offset + ip_size + udp_length);
}

std::uint16_t checksum_change(std::uint16_t from_sum, std::uint16_t from_length,
                              std::uint16_t to_sum, std::uint16_t to_length) noexcept {
    const std::uint64_t from = from_sum + checksum_words(2U * (kUdpSize + from_length));
    const std::uint64_t to = to_sum + checksum_words(2U * (kUdpSize + to_length));
    return checksum_fold(from + (0xffffU - checksum_fold(to)));
}

}  // namespace steer
