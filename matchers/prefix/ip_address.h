// An IP address as 16 bytes in network order; IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2), so that
// one code path serves both families and an address that came in by a [::] socket equals the plain
// one.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace steer {

struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};

    static constexpr IpAddress from_v4(const std::uint8_t* four) {
        IpAddress a;
        a.bytes[10] = a.bytes[11] = 0xff;
        std::copy_n(four, 4, a.bytes.begin() + 12);
        return a;
    }
    static constexpr IpAddress from_v6(const std::uint8_t* sixteen) {
        IpAddress a;
        std::copy_n(sixteen, 16, a.bytes.begin());
        return a;
    }
    [[nodiscard]] constexpr bool is_v4() const {
        return std::all_of(bytes.begin(), bytes.begin() + 10, [](auto b) { return b == 0; }) &&
               bytes[10] == 0xff && bytes[11] == 0xff;
    }
    // The four bytes of an IPv4 address; only if is_v4().
    [[nodiscard]] constexpr const std::uint8_t* v4() const { return bytes.data() + 12; }

    // "192.0.2.1" or the RFC 5952 form of an IPv6 address. Allocates.
    [[nodiscard]] std::string to_string() const;
    // No brackets, no zone, no port. Nothing if it is not an address.
    static std::optional<IpAddress> parse(std::string_view text);

    constexpr auto operator<=>(const IpAddress&) const = default;
};
static_assert(sizeof(IpAddress) == 16);

}  // namespace steer
