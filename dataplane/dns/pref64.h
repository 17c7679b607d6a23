// IPv4 addresses inside of IPv6 ones, behind the prefix of a NAT64 (RFC 6052 2.2).
//
// Shapes: addresses in network order, 4 and 16 bytes. The prefix has 32, 40, 48, 56, 64 or 96 bits; octet 8 (bits 64 to
// 71) is zero whatever its length, and the IPv4 address goes around it. Pure; no error but what the types say.
#pragma once

#include <array>
#include <cstdint>

namespace steer::dns {

struct Pref64 {
    std::array<std::uint8_t, 16> prefix{};  // bits behind `length`, and octet 8, are 0
    std::uint8_t length = 96;

    static constexpr bool is_length(unsigned bits) {
        return bits == 96 || (bits >= 32 && bits <= 64 && bits % 8 == 0);
    }
    [[nodiscard]] bool holds(const std::uint8_t* v6) const noexcept;
    void embed(const std::uint8_t* v4, std::uint8_t* v6) const noexcept;
    // Of an address that it holds; the suffix behind it is ignored, as the RFC wants it.
    void extract(const std::uint8_t* v6, std::uint8_t* v4) const noexcept;
};

// 64:ff9b::/96, for addresses that are the same everywhere alone (RFC 6052 2.1, 3.1).
inline constexpr Pref64 kWellKnownPref64{{0, 0x64, 0xff, 0x9b}, 96};

}  // namespace steer::dns
