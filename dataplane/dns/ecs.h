// EDNS Client Subnet (RFC 7871): reading and writing the option.
//
// Inside, a subnet is a few bytes that stand for what was sent: family (1 or 2), source prefix length, and the
// address's bytes as far as the prefix goes. They are part of a cache's key, of a question in flight, and go back to the
// client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace steer::dns {

inline constexpr std::size_t kMaxEcs = 18;
inline constexpr std::size_t kEcsOptionSize = 8;  // and the address

// The client's subnet among the options of a query's OPT, in `out` (kMaxEcs bytes). Returns its length; 0: there is
// none, or one that RFC 7871 7.1.2 calls malformed (it is as if it were not there).
std::size_t read_ecs(std::span<const std::uint8_t> options, std::span<std::uint8_t> out) noexcept;

// What a response says of the subnet that was asked for.
struct EcsReply {
    bool matches = true;     // not another subnet than the one that was asked for (RFC 7871 7.3)
    std::uint8_t scope = 0;  // prefix length that the answer holds for; 0: everybody
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
