// IPv4 addresses embedded in IPv6 addresses with a NAT64 prefix (RFC 6052 2.2).
//
// Addresses are in network order, 4 and 16 bytes. A prefix has 32, 40, 48, 56, 64 or 96 bits. Octet
// 8 (bits 64 to 71) is always zero; the IPv4 address skips it. Pure; no errors.
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
    // The IPv4 address in an address with this prefix; the suffix is ignored, as the RFC requires.
    void extract(const std::uint8_t* v6, std::uint8_t* v4) const noexcept;
};

// 64:ff9b::/96, only for global addresses (RFC 6052 2.1, 3.1).
inline constexpr Pref64 kWellKnownPref64{{0, 0x64, 0xff, 0x9b}, 96};

}  // namespace steer::dns
