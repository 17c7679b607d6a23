// EDNS options that belong to a connection, not to the answer: padding (RFC 7830, RFC 8467) and
// edns-tcp-keepalive (RFC 7828). Workers do not handle them. They are added to the OPT of a
// response if its query requests them, and padding to queries of encrypted upstreams. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace steer::stream {

struct OptionsAsked {
    bool padding = false;
    bool keepalive = false;
};
// The options that a client's query requests; none if the message is not a query.
OptionsAsked options_asked(std::span<const std::uint8_t> query) noexcept;

struct OptionsGiven {
    bool padding = false;                                // to a multiple of `block`
    std::size_t block = 468;                             // bytes, of responses (RFC 8467 4.1)
    std::optional<std::chrono::milliseconds> keepalive;  // the allowed idle time
};
// The maximum number of bytes that give_options() adds to a message.
inline constexpr std::size_t kMaxOptionBytes = 6 + 4 + 467;
// Adds options to the response in the first `length` bytes of `message`; returns its new length.
// Leaves out options that do not fit. Leaves out all if the response has no OPT at its end (it has
// none if the query had none).
std::size_t give_options(std::span<std::uint8_t> message, std::size_t length,
                         const OptionsGiven& given) noexcept;

// A query with padding to a multiple of 128 bytes (RFC 8467 4.1), in `room`; or as it is, if it has
// no OPT at its end, or padding.
std::span<const std::uint8_t> pad_query(std::span<const std::uint8_t> query,
                                        std::vector<std::uint8_t>& room);

}  // namespace steer::stream
