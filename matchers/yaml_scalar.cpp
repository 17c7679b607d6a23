#include "matchers/yaml_scalar.h"

#include <algorithm>
#include <array>

namespace steer {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// What needs no quotes: a word that begins with a letter and is none that YAML knows.
bool is_plain(std::string_view text) {
    constexpr std::array<std::string_view, 9> kKnown{"true", "false", "yes", "no", "on",
                                                     "off",  "null",  "y",   "n"};
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const bool is_word = !text.empty() && std::ranges::all_of(text, [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
               c == '/';
    });
    const bool is_number = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    if (is_number && !text.empty()) return true;
    const bool is_duration = is_word && text.front() >= '0' && text.front() <= '9' &&
                             is_letter(text.back()) && text.find_first_of("./-_") == text.npos;
    if (is_duration) return true;
    return is_word && is_letter(text.front()) && !text.ends_with('.') &&
           std::ranges::none_of(kKnown, [&](std::string_view known) {
               return std::ranges::equal(known, text, {}, {}, lower);
           });
}

// `${` is one of our placeholders, `$${` is not.
std::string without_placeholders(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.substr(i).starts_with("${")) out += '$';
        out += text[i];
    }
    return out;
}

void append_escaped(std::string& out, unsigned char byte) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += "\\x";
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
}

// In double quotes.
std::string quoted_scalar(std::string_view good) {
    std::string out = "\"";
    for (std::size_t i = 0; i < good.size(); ++i) {
        const auto byte = static_cast<unsigned char>(good[i]);
        const auto next = i + 1 < good.size() ? static_cast<unsigned char>(good[i + 1]) : 0;
        if (byte == '"' || byte == '\\') {
            out += '\\';
            out += good[i];
        } else if (byte < 0x20 || byte == 0x7f) {
            append_escaped(out, byte);
        } else if (byte == 0xc2 && next < 0xa0) {  // the control characters of Latin-1
            append_escaped(out, static_cast<unsigned char>(next));
            ++i;
        } else {
            out += good[i];
        }
    }
    return out + '"';
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
    return is_plain(text) ? std::string(text) : quoted_scalar(without_placeholders(text));
}

std::string yaml_scalar_with_placeholders(std::string_view text) {
    return is_plain(text) ? std::string(text) : quoted_scalar(text);
}

}  // namespace steer
