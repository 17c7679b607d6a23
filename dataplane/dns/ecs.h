// EDNS Client Subnet (RFC 7871): reads and writes the option.
//
// Inside this program, a subnet is a few bytes: family (1, 2, or 0 without an address), source
// prefix length, and the bytes of the address that the prefix needs. They are part of a cache key
// and of an outstanding query, and are returned to the client.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace steer::dns {

inline constexpr std::size_t kMaxEcs = 18;
inline constexpr std::size_t kEcsOptionSize = 8;  // plus the address

inline constexpr std::uint16_t kEcsCode = 8;

// Replaces the subnet in a cache key if the answer is for the clients of all subnets (scope 0, RFC
// 7871 7.3.1). No client sends this value.
inline constexpr std::array<std::uint8_t, 2> kAllSubnets{0, 255};
// Whether the client's subnet forbids the use of its address. Then a scope of 0 has no meaning (RFC
// 7871 7.1.2).
inline bool hides_address(std::span<const std::uint8_t> ecs) {
    return ecs[1] == 0;
}

// Writes the client's subnet into `out` (kMaxEcs bytes), from the data of a query's option. Returns
// its length, or 0 if the option is malformed (RFC 7871 6, 7.2.1). Malformed means: an unknown
// family, a prefix longer than the family's addresses, too few or too many octets, bits set behind
// the prefix, or a scope. Clients without an address send family 0 (prefix length 0).
std::size_t read_ecs(std::span<const std::uint8_t> option, std::span<std::uint8_t> out) noexcept;

// What a response says about the subnet of its query.
struct EcsReply {
    bool matches = true;     // false: the subnet differs from the query's (RFC 7871 7.3)
    std::uint8_t scope = 0;  // prefix length of the clients that may use it; 0: all
};
EcsReply read_ecs_reply(std::span<const std::uint8_t> options,
                        std::span<const std::uint8_t> asked) noexcept;

// Writes the subnet of an address (4 or 16 bytes) into `out` (kMaxEcs bytes): `length` bits of the
// address, then zeros (RFC 7871 6). Returns its length.
std::size_t make_ecs(std::span<const std::uint8_t> address, std::uint8_t length,
                     std::span<std::uint8_t> out) noexcept;

// Writes the option and returns its length: kEcsOptionSize + at most 16.
std::size_t write_ecs(std::uint8_t* at, std::span<const std::uint8_t> ecs,
                      std::uint8_t scope) noexcept;

}  // namespace steer::dns
