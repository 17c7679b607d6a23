// The address of an address-list row: a host or a prefix of either family, 17 bytes, no allocation.
//
// Bytes are in network order. IPv4 is stored as ::ffff:a.b.c.d with 96 added to its prefix length,
// so one key type serves both menus. Text has RouterOS's normal form: IPv4 hosts without /32, IPv6
// always with its length (including /128), lower case, longest run of zeros compressed (RFC 5952),
// host bits cleared.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace steer::routeros {

using AddressBytes = std::array<std::uint8_t, 16>;

// Which of the two address-list menus: /ip/firewall/address-list or /ipv6/firewall/address-list.
enum class Menu : std::uint8_t { ip, ipv6 };

struct Address {
    AddressBytes bytes{};
    std::uint8_t prefix = 128;  // 0..128 of the 16 bytes; 96..128 for IPv4

    static Address host(const AddressBytes& bytes) { return {bytes, 128}; }
    // Parses RouterOS's output or an operator's text; clears host bits. No value for ranges
    // (`a-b`), names, IPv4-mapped IPv6 text, and addresses of the other menu.
    static std::optional<Address> parse(Menu menu, std::string_view text);
    // The same for either family.
    static std::optional<Address> parse(std::string_view text);

    // The enclosing prefix of this length (as `prefix`).
    [[nodiscard]] Address within(std::uint8_t length) const;
    [[nodiscard]] bool is_host() const { return prefix == 128; }
    [[nodiscard]] Menu menu() const;
    [[nodiscard]] std::string to_string() const;

    auto operator<=>(const Address&) const = default;
};

struct AddressHash {
    std::size_t operator()(const Address& address) const noexcept;
};

}  // namespace steer::routeros
