// Appends numbers in network byte order, and bytes. Compares bytes with text.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "control/sources/transfer/zone_name.h"

namespace steer::transfer {

inline void put16(Bytes& to, std::uint16_t value) {
    to.push_back(static_cast<std::uint8_t>(value >> 8));
    to.push_back(static_cast<std::uint8_t>(value));
}
inline void put32(Bytes& to, std::uint32_t value) {
    put16(to, static_cast<std::uint16_t>(value >> 16));
    put16(to, static_cast<std::uint16_t>(value));
}
inline void put48(Bytes& to, std::uint64_t value) {
    put16(to, static_cast<std::uint16_t>(value >> 32));
    put32(to, static_cast<std::uint32_t>(value));
}
inline void put_bytes(Bytes& to, ByteSpan bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}
inline bool is_text(ByteSpan bytes, std::string_view text) {
    return std::ranges::equal(bytes, text, {}, {},
                              [](char c) { return static_cast<std::uint8_t>(c); });
}

}  // namespace steer::transfer
