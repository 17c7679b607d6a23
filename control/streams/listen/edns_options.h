// EDNS options that belong to a connection, not to the answer: padding (RFC 7830, RFC 8467) and
// edns-tcp-keepalive (RFC 7828). Workers do not handle them; they are added to the OPT of the response
// to a query that asks for them. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace steer::stream {

struct OptionsAsked {
    bool padding = false;
    bool keepalive = false;
};
// The options that a client's query asks for; none if the message is not a query.
OptionsAsked options_asked(std::span<const std::uint8_t> query) noexcept;

struct OptionsGiven {
    bool padding = false;  // to a multiple of 468 bytes (RFC 8467 4.1)
    std::optional<std::chrono::milliseconds> keepalive;  // the allowed idle time
};
// The most bytes that give_options() adds to a message.
inline constexpr std::size_t kMaxOptionBytes = 6 + 4 + 467;
// Adds options to the response that is the first `length` bytes of `message`; returns its new
// length. Options that do not fit are left out, as in a response without an OPT at its end (there
// is none if the query had none).
std::size_t give_options(std::span<std::uint8_t> message, std::size_t length,
                         const OptionsGiven& given) noexcept;

}  // namespace steer::stream
