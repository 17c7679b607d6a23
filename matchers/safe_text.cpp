#include "matchers/safe_text.h"

#include <optional>

namespace steer {
namespace {

constexpr std::string_view kCut = "...";

struct Character {
    std::size_t size;  // bytes
    std::optional<char32_t> code_point{};
    bool is_safe = false;
};

bool is_safe_code_point(char32_t c) {
    if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) return false;
    const bool is_hidden = (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
                           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
    return !is_hidden;
}

// The first character of `text`, which is not empty. A byte that is not valid UTF-8 (RFC 3629 4) is
// one by itself.
Character first_character(std::string_view text) {
    constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const auto first = static_cast<unsigned char>(text.front());
    if (first < 0x80) return {1, first, is_safe_code_point(first)};
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < size) return {1};
    char32_t c = first & (0x7fU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xc0U) != 0x80) return {1};
        c = c << 6U | (byte & 0x3fU);
    }
    const bool is_surrogate = c >= 0xd800 && c <= 0xdfff;
    if (c < kSmallest[size] || c > 0x10ffff || is_surrogate) return {1};
    return {size, c, is_safe_code_point(c)};
}

constexpr std::string_view kHex = "0123456789abcdef";

void append_hex(std::string& out, std::string_view bytes, std::string_view escape) {
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += escape;
        out += kHex[byte >> 4U];
        out += kHex[byte & 15U];
    }
}

void append_json(std::string& out, char32_t c) {  // all that are unsafe have 16 bits
    out += "\\u";
    for (unsigned shift = 16; shift > 0; shift -= 4)
        out += kHex[(c >> (shift - 4)) & 15U];
}

}  // namespace

bool is_safe_text(std::string_view text, std::size_t most) {
    if (text.size() > most) return false;
    while (!text.empty()) {
        const Character c = first_character(text);
        if (!c.is_safe) return false;
        text.remove_prefix(c.size);
    }
    return true;
}

std::string safe_text(std::string_view text, std::size_t most) {
    if (is_safe_text(text, most)) return std::string(text);
    std::string out;
    std::size_t room_for_cut = 0;  // bytes of `out` that stay if the rest does not fit
    while (!text.empty()) {
        const Character c = first_character(text);
        const std::string_view bytes = text.substr(0, c.size);
        if (c.is_safe)
            out += bytes;
        else
            append_hex(out, bytes, "\\x");
        if (out.size() > most) {
            out.resize(room_for_cut);
            return out.append(kCut.substr(0, most));
        }
        if (out.size() + kCut.size() <= most) room_for_cut = out.size();
        text.remove_prefix(c.size);
    }
    return out;
}

std::string_view whole_bytes(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text;
    // A character begins at most three bytes before the cut.
    std::size_t end = most;
    for (std::size_t back = 1; back <= 3 && back <= most; ++back) {
        const std::size_t start = most - back;
        const std::size_t size = first_character(text.substr(start)).size;
        if (size > back) end = start;
        if (size > 1 || static_cast<unsigned char>(text[start]) < 0x80) break;
    }
    return text.substr(0, end);
}

std::string_view whole_characters(std::string_view text, std::size_t most) {
    std::size_t end = 0;
    for (; most > 0 && end < text.size(); --most)
        end += first_character(text.substr(end)).size;
    return text.substr(0, end);
}

std::string safe_json(std::string serialized) {
    if (is_safe_text(serialized, std::string::npos)) return serialized;
    std::string out;
    for (std::string_view text = serialized; !text.empty();) {
        const Character c = first_character(text);
        if (c.is_safe)
            out += text.substr(0, c.size);
        else if (c.code_point)
            append_json(out, *c.code_point);
        else
            append_hex(out, text.substr(0, c.size), "\\\\x");
        text.remove_prefix(c.size);
    }
    return out;
}

}  // namespace steer
