// Lowers the TTLs of a message that was kept by others on the way, such as an HTTP cache (RFC 8484 5.1).
#pragma once

#include <cstdint>
#include <span>

namespace steer::dns {

// Each TTL loses `age_s`, not below 0, and is at most `most_s`. An OPT stays. Changes nothing behind the first record that
// is cut off. Pure; one pass, without following names.
void lower_message_ttls(std::span<std::uint8_t> message, std::uint32_t age_s,
                        std::uint32_t most_s) noexcept;

}  // namespace steer::dns
