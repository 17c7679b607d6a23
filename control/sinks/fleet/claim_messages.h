// Claims that the appliances of a fleet exchange: the bytes of a message, and of a member of a
// sorted set.
//
// All numbers are big-endian. A message has 'S' 'F', version (1 byte), length of the sender's box
// (1), the box, and then records. A record has: flags (1; bit 0: an answer waits), lease end (8, ms
// of Redis's clock), life of the row in s (4; 0: no timeout), address (16, IPv4 as ::ffff:a.b.c.d),
// length of the list's tag (1), the tag, length of the name (1), the name. A member has the version
// (1), then a record without flags and lease end; the lease end is its score. decode_*() accept any
// bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace steer::fleet {

inline constexpr std::uint8_t kMessageVersion = 1;
inline constexpr std::size_t kMaxMessage = 64 * 1024;  // bytes

struct SharedClaim {
    std::string list;  // the tag of its plugin
    std::array<std::uint8_t, 16> address{};
    std::string name;                // of the answer, as text
    std::uint64_t lease_end_ms = 0;  // of Redis's clock
    std::uint32_t row_life_s = 0;
    bool is_urgent = false;  // an answer waits for the row
    bool operator==(const SharedClaim&) const = default;
};

struct ClaimMessage {
    std::string box;
    std::vector<SharedClaim> claims;
};

// Encodes the claims in as many messages as necessary. Texts are cut at 255 bytes.
std::vector<std::string> encode_messages(std::string_view box,
                                         const std::vector<SharedClaim>& claims);
// No value: not a message of this version, or a damaged one.
std::optional<ClaimMessage> decode_message(std::string_view bytes);

std::string encode_member(const SharedClaim& claim);
std::optional<SharedClaim> decode_member(std::string_view bytes);

}  // namespace steer::fleet
