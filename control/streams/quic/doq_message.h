// A message of DNS over QUIC as its stream has it (RFC 9250 4.2): two bytes with its length, big
// endian, then the message with the id 0. Both directions have one of them, and end with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/dns/wire.h"

namespace steer::quic {

// RFC 9250 4.3.
enum class DoqError : std::uint64_t {
    no_error = 0x0,
    internal_error = 0x1,
    protocol_error = 0x2,
    request_cancelled = 0x3,
    excessive_load = 0x4,
    unspecified_error = 0x5,
};
constexpr std::uint64_t code_of(DoqError error) {
    return static_cast<std::uint64_t>(error);
}

inline constexpr std::size_t kDoqLengthBytes = 2;
// The longest stream: a length and the longest message.
inline constexpr std::size_t kMaxDoqStream = kDoqLengthBytes + dns::kMaxMessage;

// More bytes than its length allows: a second message.
inline bool exceeds_length(std::span<const std::uint8_t> framed) {
    return framed.size() >= kDoqLengthBytes &&
           framed.size() > kDoqLengthBytes + dns::load_be16(framed.data());
}
// A whole message, with a header and the id 0 (RFC 9250 4.2.1).
inline bool is_doq_message(std::span<const std::uint8_t> framed) {
    return framed.size() >= kDoqLengthBytes + dns::kHeaderSize &&
           framed.size() == kDoqLengthBytes + dns::load_be16(framed.data()) &&
           dns::load_be16(&framed[kDoqLengthBytes]) == 0;
}
// `message`: at most dns::kMaxMessage bytes. `out` is empty.
inline void put_framed(std::span<const std::uint8_t> message, std::vector<std::uint8_t>& out) {
    out.reserve(kDoqLengthBytes + message.size());
    out.push_back(static_cast<std::uint8_t>(message.size() >> 8));
    out.push_back(static_cast<std::uint8_t>(message.size()));
    out.insert(out.end(), message.begin(), message.end());
}

}  // namespace steer::quic
