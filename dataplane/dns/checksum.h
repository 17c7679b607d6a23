// The Internet checksum (RFC 1071) in software, for the short packets of DNS.
//
// Adds 64-bit words in memory order with end-around carry, and folds once at the end. Cost: a
// quarter of an instruction per byte. A ones' complement sum does not depend on byte order, so no
// bytes are swapped.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace steer {

// Ones' complement addition.
inline std::uint64_t checksum_join(std::uint64_t a, std::uint64_t b) {
    const std::uint64_t sum = a + b;
    return sum + (sum < a ? 1 : 0);
}

inline std::uint64_t checksum_word(const std::uint8_t* at) {
    static_assert(std::endian::native == std::endian::little);
    std::uint64_t w;
    std::memcpy(&w, at, 8);
    return w;
}

// From &kLastBytes<size>[n] on: `size` bytes, of them the last `n` are 0xff, and the others 0.
template <std::size_t size>
alignas(2 * size) inline constexpr std::array<std::uint8_t, 2 * size> kLastBytes = [] {
    std::array<std::uint8_t, 2 * size> mask{};
    for (std::size_t i = size; i < mask.size(); ++i)
        mask[i] = 0xff;
    return mask;
}();

// For 32 bytes and more, in the compiler's vectors. The last block overlaps earlier bytes and masks
// them out. A branch on the remainder would be mispredicted half of the time, because packets have
// any length. The sum is below 2^48 for a packet.
[[gnu::always_inline]] inline std::uint64_t checksum_blocks(const std::uint8_t* bytes,
                                                            std::size_t n) {
    constexpr std::size_t kBlock = 32;
    using Words = std::uint64_t __attribute__((vector_size(kBlock)));
    Words sum{};
    Words block;
    const std::uint8_t* const last = bytes + n - kBlock;
    for (; bytes <= last; bytes += kBlock) {
        std::memcpy(&block, bytes, kBlock);
        sum += (block & 0xffffffffU) + (block >> 32);
    }
    const std::size_t left = n % kBlock;
    Words mask;
    std::memcpy(&mask, &kLastBytes<kBlock>[left], kBlock);
    std::memcpy(&block, last, kBlock);
    block &= mask;
    // Behind an odd length, the words begin at odd offsets.
    sum += ((block & 0xffffffffU) + (block >> 32)) << (n % 2 * 8);
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

[[gnu::always_inline]] inline std::uint64_t checksum_add(std::uint64_t sum,
                                                         const std::uint8_t* bytes, std::size_t n) {
    if (n >= 32) return checksum_join(sum, checksum_blocks(bytes, n));
    if (n >= 8) {
        const std::uint8_t* const end = bytes + n;
        for (; n >= 8; n -= 8, bytes += 8)
            sum = checksum_join(sum, checksum_word(bytes));
        // The last word overlaps earlier bytes, which are shifted out. A shift by 64 is undefined.
        return checksum_join(sum, checksum_word(end - 8) >> 8 * (7 - n) >> 8);
    }
    std::uint64_t last = 0;
    if ((n & 4) != 0) {
        std::uint32_t w;
        std::memcpy(&w, bytes, 4);
        last = w;
        bytes += 4;
    }
    std::uint32_t tail = 0;  // the last 0 to 3 bytes; missing bytes count as 0
    if ((n & 2) != 0) {
        std::uint16_t w;
        std::memcpy(&w, bytes, 2);
        tail = w;
        bytes += 2;
    }
    if ((n & 1) != 0) last += *bytes;  // the low byte of its own word
    return checksum_join(sum, last + tail);
}

// Folds to 16 bits, in memory order; complement it for a header's field.
inline std::uint16_t checksum_fold(std::uint64_t sum) {
    // A number plus itself with swapped halves has the sum and its carry in the upper half.
    const auto half = static_cast<std::uint32_t>((sum + std::rotl(sum, 32)) >> 32);
    return static_cast<std::uint16_t>((half + std::rotl(half, 16)) >> 16);
}

// Sums are numbers modulo 65535, where 65536 equals 1. So a swap of a sum's bytes multiplies it by
// 256, and a 32-bit number equals the sum of its two words. Numbers below 2^40 may be added
// unfolded and folded at the end.

// Converts a sum of big-endian words, added in host order, to memory order.
inline std::uint64_t checksum_words(std::uint64_t host_order_sum) {
    return host_order_sum << 8;
}

// The sum (below 2^32) of bytes that begin at `offset` of the summed data.
inline std::uint64_t checksum_at(std::size_t offset, std::uint64_t sum) {
    return sum << (offset % 2 * 8);
}

// Folds to 33 bits, so that more numbers can be added.
inline std::uint64_t checksum_narrow(std::uint64_t sum) {
    return (sum & 0xffffffffU) + (sum >> 32);
}

// UDP's pseudo-header (RFC 768, RFC 8200 8.1): `addresses` are source and destination as stored
// in the IP header, 8 or 32 bytes; `udp_length` in host order.
inline std::uint64_t checksum_pseudo(const std::uint8_t* addresses, std::size_t n,
                                     std::uint16_t udp_length) {
    constexpr std::uint32_t kUdp = 17;
    return checksum_narrow(checksum_add(0, addresses, n)) + checksum_words(kUdp + udp_length);
}

// The UDP checksum of a packet before its message is summed.
struct PendingChecksum {
    bool is_verified = true;   // true: already verified
    bool is_whole = false;     // the UDP header has the checksum of the whole datagram
    std::uint64_t others = 0;  // sum of the pseudo-header and the UDP header, below 2^40

    // `message`: the sum of the message, below 2^40.
    [[nodiscard]] bool is_right_with(std::uint64_t message) const {
        return is_verified || checksum_fold(others + message) == 0xffff;
    }
};

}  // namespace steer
