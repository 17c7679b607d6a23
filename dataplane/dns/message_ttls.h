// Lowers the TTLs of a message that another cache has kept, such as an HTTP cache (RFC 8484 5.1).
#pragma once

#include <cstdint>
#include <span>

namespace steer::dns {

// Lowers each TTL by `age_s`, not below 0, and limits it to `most_s`. An OPT stays unchanged, and
// all bytes from the first incomplete record on. 0 and UINT32_MAX: nothing is to be lowered. Pure. One
// pass; follows no names.
void lower_message_ttls(std::span<std::uint8_t> message, std::uint32_t age_s,
                        std::uint32_t most_s) noexcept;

}  // namespace steer::dns
