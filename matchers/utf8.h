// Finds the place where a text is not UTF-8 (RFC 3629 4). Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace steer {

// The bytes of the first character of `text`, which must not be empty; 0: it is not UTF-8.
std::size_t utf8_length(std::string_view text);

struct NotUtf8 {
    int line;            // from 1
    std::size_t column;  // in characters, from 1
    unsigned char byte;

    // "the byte 0xfc in column 9 is not UTF-8".
    [[nodiscard]] std::string text() const;
};
// The first byte that is not UTF-8. No value: there is none.
std::optional<NotUtf8> find_not_utf8(std::string_view text);

}  // namespace steer
