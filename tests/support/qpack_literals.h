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

// What an encoder of QPACK sends (RFC 9204 4.3): a table of 1 GiB, and entries for it.
inline std::vector<std::uint8_t> giant_qpack_table() {
    std::vector<std::uint8_t> out{2};  // the type of its stream
    put_qpack_number(out, 0x20, 31, 1U << 30);
    for (unsigned i = 0; i < 16; ++i) {
        put_qpack_number(out, 0x40, 31, 1);
        out.push_back('a');
        put_qpack_number(out, 0, 0x7f, 40);
        out.insert(out.end(), 40, static_cast<std::uint8_t>('0' + i));
    }
    return out;
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
