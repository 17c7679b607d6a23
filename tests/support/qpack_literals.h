// Fields of a head as literals (RFC 9204 4.5.6), for tests and benches that write HTTP/3 by hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace steer::test {

// A number with a prefix (RFC 9204 4.1.1): `first` has the other bits of its byte, `most` the
// largest number that fits there.
inline void put_qpack_number(std::vector<std::uint8_t>& to, unsigned first, unsigned most,
                             std::size_t value) {
    if (value < most) return to.push_back(static_cast<std::uint8_t>(first | value));
    to.push_back(static_cast<std::uint8_t>(first | most));
    for (value -= most; value >= 0x80; value >>= 7)
        to.push_back(static_cast<std::uint8_t>(0x80 | (value & 0x7f)));
    to.push_back(static_cast<std::uint8_t>(value));
}

// Behind the two bytes that every head begins with.
inline void put_qpack_literal(std::vector<std::uint8_t>& to, std::string_view name,
                              std::string_view value) {
    put_qpack_number(to, 0x20, 7, name.size());
    to.insert(to.end(), name.begin(), name.end());
    put_qpack_number(to, 0, 0x7f, value.size());
    to.insert(to.end(), value.begin(), value.end());
}

}  // namespace steer::test
