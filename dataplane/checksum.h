// The Internet checksum (RFC 1071) in software, over the short packets that DNS is made of.
//
// Sums are of 32-bit words in memory order in a 64-bit accumulator, folded once at the end: no carry is lost below
// 16 GiB. Byte order does not matter to a ones' complement sum, so nothing is swapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace steer {

inline std::uint64_t checksum_add(std::uint64_t sum, const std::uint8_t* bytes, std::size_t n) {
    for (; n >= 8; n -= 8, bytes += 8) {
        std::uint64_t w;
        std::memcpy(&w, bytes, 8);
        sum += (w & 0xffffffffU) + (w >> 32);
    }
    if (n >= 4) {
        std::uint32_t w;
        std::memcpy(&w, bytes, 4);
        sum += w;
        n -= 4;
        bytes += 4;
    }
    std::uint32_t tail = 0;
    std::memcpy(&tail, bytes, n);  // n < 4: the bytes that are missing count as 0
    return sum + tail;
}

// To 16 bits, in memory order; complement it for a header's field.
inline std::uint16_t checksum_fold(std::uint64_t sum) {
    sum = (sum & 0xffffffffU) + (sum >> 32);
    sum = (sum & 0xffffU) + (sum >> 16);
    sum = (sum & 0xffffU) + (sum >> 16);
    sum = (sum & 0xffffU) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

// UDP's pseudo-header (RFC 768, RFC 8200 8.1): `addresses` are source and destination as they lie in the IP
// header, 8 or 32 bytes; `udp_length` in host order.
inline std::uint64_t checksum_pseudo(const std::uint8_t* addresses, std::size_t n,
                                     std::uint16_t udp_length) {
    constexpr std::uint32_t kUdp = 17;
    const auto word = [](std::uint32_t v) {
        return __builtin_bswap16(static_cast<std::uint16_t>(v));
    };
    return checksum_add(0, addresses, n) + word(kUdp) + word(udp_length);
}

}  // namespace steer
