// Helpers for the text of rules and lists: ASCII letters and blanks, independent of the locale.
// Accepts any bytes.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace steer::matchers {

inline constexpr std::string_view kBlank = " \t\r\n\v\f";

// `text` without byte order marks (UTF-8) at its start, which Windows editors write.
inline std::string_view without_marks(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    while (text.starts_with(kByteOrderMark))
        text.remove_prefix(kByteOrderMark.size());
    return text;
}

// `text` without blanks at both ends.
inline std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Removes the first word and the blanks around it from `text` and returns it. Empty: there is none.
inline std::string_view take_word(std::string_view& text) {
    text = trimmed(text);
    const std::string_view word = text.substr(0, text.find_first_of(kBlank));
    text = trimmed(text.substr(word.size()));
    return word;
}

inline bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}
inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
inline bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
inline std::string lowered(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}

}  // namespace steer::matchers
