#include "matchers/utf8.h"

namespace steer {

std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) return 0;
    }
    const unsigned second = byte(1);
    const bool bad = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                     (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return bad ? 0 : length;
}

std::string NotUtf8::text() const {
    constexpr std::string_view kHex = "0123456789abcdef";
    return std::string("the byte 0x") + kHex[byte >> 4U] + kHex[byte & 15U] + " in column " +
           std::to_string(column) + " is not UTF-8";
}

std::optional<NotUtf8> find_not_utf8(std::string_view text) {
    NotUtf8 at{1, 1, 0};
    while (!text.empty()) {
        at.byte = static_cast<unsigned char>(text.front());
        const std::size_t length = utf8_length(text);
        if (length == 0) return at;
        ++at.column;
        if (text.front() == '\n') {
            ++at.line;
            at.column = 1;
        }
        text.remove_prefix(length);
    }
    return std::nullopt;
}

}  // namespace steer
