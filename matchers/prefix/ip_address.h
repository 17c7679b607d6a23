// An IP address as 16 bytes in network order. IPv4 is ::ffff:a.b.c.d (RFC 4291 2.5.5.2), so one
// code path serves both families. An address from a [::] socket equals the plain one.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace steer {

struct IpAddress {
    static_assert(std::endian::native == std::endian::little);

    std::array<std::uint8_t, 16> bytes{};

    static constexpr IpAddress from_v4(const std::uint8_t* four) {
        // Stores two numbers, because they are loaded as numbers soon after.
        const std::uint32_t address = four[0] | std::uint32_t{four[1]} << 8 |
                                      std::uint32_t{four[2]} << 16 | std::uint32_t{four[3]} << 24;
        const std::array<std::uint64_t, 2> halves{0, 0xffff0000U | std::uint64_t{address} << 32};
        return {std::bit_cast<std::array<std::uint8_t, 16>>(halves)};
    }
    static constexpr IpAddress from_v6(const std::uint8_t* sixteen) {
        IpAddress a;
        std::copy_n(sixteen, 16, a.bytes.begin());
        return a;
    }
    [[nodiscard]] constexpr bool is_v4() const {
        constexpr std::uint32_t kMapped = 0xffff0000;  // bytes 8 to 11, in memory order
        return std::bit_cast<std::array<std::uint64_t, 2>>(bytes)[0] == 0 &&
               std::bit_cast<std::array<std::uint32_t, 4>>(bytes)[2] == kMapped;
    }
    // 127.0.0.0/8 and ::1; fe80::/10.
    [[nodiscard]] constexpr bool is_loopback() const {
        return is_v4() ? bytes[12] == 127 : high() == 0 && low() == 1;
    }
    [[nodiscard]] constexpr bool is_link_local() const { return high() >> 54 == 0x3fa; }
    // The four bytes of an IPv4 address; only if is_v4().
    [[nodiscard]] constexpr const std::uint8_t* v4() const { return bytes.data() + 12; }

    // "192.0.2.1" or the RFC 5952 form of an IPv6 address. Allocates.
    [[nodiscard]] std::string to_string() const;
    // Accepts no brackets, no zone and no port. No value: it is not an address.
    static std::optional<IpAddress> parse(std::string_view text);

    // The address as two numbers of 64 bits, because addresses are compared for every packet.
    [[nodiscard]] constexpr std::uint64_t high() const { return number(0); }
    [[nodiscard]] constexpr std::uint64_t low() const { return number(1); }
    constexpr bool operator==(const IpAddress& o) const {
        return high() == o.high() && low() == o.low();
    }
    constexpr std::strong_ordering operator<=>(const IpAddress& o) const {
        return high() != o.high() ? high() <=> o.high() : low() <=> o.low();
    }

  private:
    [[nodiscard]] constexpr std::uint64_t number(std::size_t half) const {
        return __builtin_bswap64(std::bit_cast<std::array<std::uint64_t, 2>>(bytes)[half]);
    }
};
static_assert(sizeof(IpAddress) == 16);

}  // namespace steer
