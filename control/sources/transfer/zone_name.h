// Names of a zone in wire form: canonical order (RFC 4034 6.1), and their place in a zone. Pure.
//
// Names are uncompressed, with the root byte, in lower case.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace steer::transfer {

using Bytes = std::vector<std::uint8_t>;
using ByteSpan = std::span<const std::uint8_t>;

// A key whose bytes sort as the names do.
void add_sort_key(ByteSpan name, std::string& to);

// Negative, 0 or positive, as names sort.
int compare_names(ByteSpan a, ByteSpan b) noexcept;

struct CanonicalLess {
    using is_transparent = void;
    bool operator()(ByteSpan a, ByteSpan b) const noexcept { return compare_names(a, b) < 0; }
};

// Whether the name is the zone's or below it.
bool is_in_zone(ByteSpan name, ByteSpan zone) noexcept;
// The name without the zone's, with a root byte; `name` is in the zone.
Bytes below_zone(ByteSpan name, ByteSpan zone);
// The name without its first label; `name` is not the root.
inline ByteSpan parent_of(ByteSpan name) {
    return name.subspan(name[0] + 1U);
}
// "*" is the first label.
inline bool is_wildcard(ByteSpan name) {
    return name.size() > 2 && name[0] == 1 && name[1] == '*';
}
// Lower-cases ASCII letters; length bytes are below 'A'.
void lower_name(std::span<std::uint8_t> name) noexcept;

// Whether serial `a` is newer than `b` (RFC 1982 3.2).
inline bool is_newer_serial(std::uint32_t a, std::uint32_t b) {
    return a != b && a - b < 0x80000000U;
}

}  // namespace steer::transfer
