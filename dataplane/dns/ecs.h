// EDNS Client Subnet (RFC 7871): reading and writing the option.
//
// Internally a subnet is a few bytes: family (1, 2, or 0 without an address), source prefix length, and as many bytes of
// the address as the prefix needs. They are part of a cache's key and of a question in flight, and are returned to the
// client.
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

// In place of a subnet in a cache's key: an answer for the clients of all subnets (scope 0, RFC 7871 7.3.1). No client
// sends it.
inline constexpr std::array<std::uint8_t, 2> kAllSubnets{0, 255};
// Whether a client's subnet says that its address must not be used: then a scope of 0 says nothing (RFC 7871 7.1.2).
inline bool hides_address(std::span<const std::uint8_t> ecs) {
    return ecs[1] == 0;
}

// The client's subnet in `out` (kMaxEcs bytes), from the data of a query's option. Returns its length, 0 if the option is
// malformed (RFC 7871 6, 7.2.1): an unknown family, a prefix longer than the family's addresses, too few or too many
// octets, bits set beyond the prefix, a scope. Clients that give no address send family 0 (prefix length 0).
std::size_t read_ecs(std::span<const std::uint8_t> option, std::span<std::uint8_t> out) noexcept;

// A response's data about the subnet of its query.
struct EcsReply {
    bool matches = true;     // false: another subnet than the query's (RFC 7871 7.3)
    std::uint8_t scope = 0;  // prefix length that the answer is valid for; 0: all clients
};
EcsReply read_ecs_reply(std::span<const std::uint8_t> options,
                        std::span<const std::uint8_t> asked) noexcept;

// The subnet of an address (4 or 16 bytes) in `out` (kMaxEcs bytes), with `length` bits of it and the rest zero (RFC 7871
// 6). Returns its length.
std::size_t make_ecs(std::span<const std::uint8_t> address, std::uint8_t length,
                     std::span<std::uint8_t> out) noexcept;

// Writes the option; returns its length, kEcsOptionSize + at most 16.
std::size_t write_ecs(std::uint8_t* at, std::span<const std::uint8_t> ecs,
                      std::uint8_t scope) noexcept;

}  // namespace steer::dns
