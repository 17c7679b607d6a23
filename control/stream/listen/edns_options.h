// EDNS options that are a connection's, not the answer's: padding (RFC 7830, RFC 8467) and
// edns-tcp-keepalive (RFC 7828). Workers know of neither; a query that asks for them has them added
// to the OPT of its response. Pure.
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
// Of a client's query, good or not; of one that is none: nothing is asked.
OptionsAsked options_asked(std::span<const std::uint8_t> query) noexcept;

struct OptionsGiven {
    bool padding = false;  // to a multiple of 468 bytes (RFC 8467 4.1)
    std::optional<std::chrono::milliseconds> keepalive;  // how long silence is borne
};
// By how much give_options() makes a message longer at most.
inline constexpr std::size_t kMostOptionBytes = 6 + 4 + 467;
// Adds options to the response that is the first `length` bytes of `message`; returns its length
// then. What there is no room for is left out, as in a response without an OPT at its end (there
// is none if the query had none).
std::size_t give_options(std::span<std::uint8_t> message, std::size_t length,
                         const OptionsGiven& given) noexcept;

}  // namespace steer::stream
