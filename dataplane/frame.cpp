#include "dataplane/frame.h"

#include <algorithm>
#include <cstring>

#include "dataplane/dns/checksum.h"
#include "dataplane/dns/wire.h"

namespace steer {
namespace {

using dns::store_be16;

constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kTtl = 64;
constexpr std::size_t kIpv4Size = 20, kIpv6Size = 40, kUdpSize = 8;

void store_sum(std::uint8_t* at, std::uint16_t sum) {
    std::memcpy(at, &sum, 2);
}

// Everything of the IPv4 header but the addresses, which are there; `addresses` is their sum.
void complete_ipv4(std::uint8_t* ip, std::uint16_t udp_length, std::uint64_t addresses) {
    const auto total = static_cast<std::uint16_t>(kIpv4Size + udp_length);
    constexpr std::uint16_t kFirst = 0x4500, kDontFragment = 0x4000, kTtlAndUdp = kTtl << 8 | kUdp;
    store_be16(ip, kFirst);
    store_be16(ip + 2, total);
    store_be16(ip + 4, 0);
    store_be16(ip + 6, kDontFragment);
    store_be16(ip + 8, kTtlAndUdp);
    const std::uint64_t words = std::uint64_t{kFirst} + total + kDontFragment + kTtlAndUdp;
    store_sum(ip + 10,
              static_cast<std::uint16_t>(~checksum_fold(addresses + checksum_words(words))));
}

void complete_ipv6(std::uint8_t* ip, std::uint16_t udp_length) {
    ip[0] = 0x60;
    ip[1] = ip[2] = ip[3] = 0;
    store_be16(ip + 4, udp_length);
    ip[6] = kUdp;
    ip[7] = kTtl;
}

// IP and UDP around a payload whose sum is `payload`: all but addresses and ports, which are there; `addresses` is the
// sum of the IP header's (narrow), `ports` that of both ports in host order. Nothing that was stored a moment ago is loaded.
[[gnu::always_inline]] inline void complete(std::uint8_t* ip, bool is_v6, std::uint16_t udp_length,
                                            std::uint64_t addresses, std::uint32_t ports,
                                            std::uint64_t payload) {
    if (is_v6) {
        complete_ipv6(ip, udp_length);
    } else {
        complete_ipv4(ip, udp_length, addresses);
    }
    std::uint8_t* const udp = ip + (is_v6 ? kIpv6Size : kIpv4Size);
    store_be16(udp + 4, udp_length);
    // The length counts twice: in UDP's header and in the pseudo-header (RFC 768, RFC 8200 8.1).
    const std::uint64_t words = std::uint64_t{ports} + 2U * udp_length + kUdp;
    const std::uint64_t sum = addresses + payload + checksum_words(words);
    const auto field = static_cast<std::uint16_t>(~checksum_fold(sum));
    store_sum(udp + 6, field == 0 ? 0xffff : field);  // 0 would mean none (RFC 768)
}

template <std::size_t N>
void swap_bytes(std::uint8_t* a, std::uint8_t* b) {
    std::array<std::uint8_t, N> t;
    std::memcpy(t.data(), a, N);
    std::memcpy(a, b, N);
    std::memcpy(b, t.data(), N);
}

}  // namespace

void write_headers(std::uint8_t* message, std::uint16_t length, const FrameHeaders& h) noexcept {
    const bool is_v6 = !h.to.is_v4();
    std::uint8_t* at = message - h.size();
    at = std::copy(h.to_mac.begin(), h.to_mac.end(), at);
    at = std::copy(h.from_mac.begin(), h.from_mac.end(), at);
    at = std::copy(h.tags.begin(), h.tags.end(), at);
    store_be16(at, is_v6 ? 0x86dd : 0x0800);
    std::uint8_t* const ip = at + 2;
    if (is_v6) {
        std::copy(h.from.bytes.begin(), h.from.bytes.end(), ip + 8);
        std::copy(h.to.bytes.begin(), h.to.bytes.end(), ip + 24);
    } else {
        std::copy_n(h.from.v4(), 4, ip + 12);
        std::copy_n(h.to.v4(), 4, ip + 16);
    }
    std::uint8_t* const udp = message - kUdpSize;
    store_be16(udp, h.from_port);
    store_be16(udp + 2, h.to_port);
    const std::uint64_t addresses =
        checksum_narrow(is_v6 ? checksum_add(0, ip + 8, 32) : checksum_add(0, ip + 12, 8));
    complete(ip, is_v6, static_cast<std::uint16_t>(kUdpSize + length), addresses,
             std::uint32_t{h.from_port} + h.to_port,
             checksum_narrow(checksum_add(0, message, length)));
}

std::uint16_t turn_around(std::uint8_t* frame, std::uint8_t l3_offset, bool is_v6,
                          std::uint16_t length, std::uint64_t sum) noexcept {
    swap_bytes<6>(frame, frame + 6);
    std::uint8_t* const ip = frame + l3_offset;
    const std::size_t ip_size = is_v6 ? kIpv6Size : kIpv4Size;
    std::uint8_t* const udp = ip + ip_size;
    const std::uint64_t addresses =
        checksum_narrow(is_v6 ? checksum_add(0, ip + 8, 32) : checksum_add(0, ip + 12, 8));
    const std::uint32_t ports = std::uint32_t{dns::load_be16(udp)} + dns::load_be16(udp + 2);
    if (is_v6) {
        swap_bytes<16>(ip + 8, ip + 24);
    } else {
        swap_bytes<4>(ip + 12, ip + 16);
    }
    swap_bytes<2>(udp, udp + 2);
    complete(ip, is_v6, static_cast<std::uint16_t>(kUdpSize + length), addresses, ports, sum);
    return static_cast<std::uint16_t>(l3_offset + ip_size + kUdpSize + length);
}

}  // namespace steer
