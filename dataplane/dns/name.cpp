#include "dataplane/dns/name.h"

#include "dataplane/dns/query.h"

namespace steer::dns {
namespace {

constexpr std::uint8_t kPointerBits = 0xc0;

// Takes one character of a text name, or an escape, off the front. No value: a wrong escape.
std::optional<std::uint8_t> take_character(std::string_view& text) {
    const auto digit = [&](std::size_t i) {
        return i < text.size() && text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : -1;
    };
    if (text[0] != '\\') {
        const auto c = static_cast<std::uint8_t>(text[0]);
        text.remove_prefix(1);
        return c;
    }
    if (text.size() < 2) return std::nullopt;
    if (digit(1) < 0) {
        const auto c = static_cast<std::uint8_t>(text[1]);
        text.remove_prefix(2);
        return c;
    }
    if (digit(2) < 0 || digit(3) < 0) return std::nullopt;
    const int value = digit(1) * 100 + digit(2) * 10 + digit(3);
    if (value > 255) return std::nullopt;
    text.remove_prefix(4);
    return static_cast<std::uint8_t>(value);
}

void append_character(std::string& text, std::uint8_t c) {
    static constexpr std::string_view kSpecial = ".\\\"();@$";
    if (c <= 0x20 || c >= 0x7f) {
        text += '\\';
        text += static_cast<char>('0' + c / 100);
        text += static_cast<char>('0' + c / 10 % 10);
        text += static_cast<char>('0' + c % 10);
        return;
    }
    if (kSpecial.find(static_cast<char>(c)) != std::string_view::npos) text += '\\';
    text += static_cast<char>(c);
}

}  // namespace

std::size_t plain_name_length(std::span<const std::uint8_t> bytes) noexcept {
    const std::size_t end = bytes.size() < kMaxName ? bytes.size() : kMaxName;
    std::size_t at = 0;
    while (at < end) {
        const std::size_t label = bytes[at];
        if (label - 1 >= kMaxLabel) return label == 0 ? at + 1 : 0;
        at += 1 + label;
    }
    return 0;
}

bool is_plain_name(std::span<const std::uint8_t> bytes) noexcept {
    return !bytes.empty() && plain_name_length(bytes) == bytes.size();
}

bool same_name(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept {
    if (a.size() != b.size() || a.size() > kMaxName) return false;
    if (std::memcmp(a.data(), b.data(), a.size()) == 0) return true;
    std::array<std::uint8_t, kMaxName + 1> x;
    std::array<std::uint8_t, kMaxName + 1> y;
    lower_case(a.data(), x.data(), a.size());
    lower_case(b.data(), y.data(), b.size());
    return std::memcmp(x.data(), y.data(), a.size()) == 0;
}

std::size_t read_name(std::span<const std::uint8_t> message, std::size_t at, NameStarts& starts,
                      Name* out, bool* compressed) noexcept {
    std::size_t run_start = at;  // where the labels that are being read began
    std::size_t next = 0;        // the offset after the name; known at the first pointer
    std::size_t length = 0;
    for (;;) {
        if (at >= message.size()) return 0;
        if (next == 0) {
            starts.allow(at);
        } else if (!starts.allowed(at)) {
            return 0;
        }
        const std::uint8_t label = message[at];
        if ((label & kPointerBits) == kPointerBits) {
            if (at + 2 > message.size()) return 0;
            const std::size_t target = load_be16(&message[at]) & 0x3fffU;
            if (target >= run_start) return 0;
            if (next == 0) next = at + 2;
            at = run_start = target;
            continue;
        }
        if (label > kMaxLabel) return 0;
        if (length + 1U + label > kMaxName || at + 1U + label > message.size()) return 0;
        if (out != nullptr) std::memcpy(out->wire.data() + length, &message[at], 1U + label);
        length += 1U + label;
        at += 1U + label;
        if (label == 0) break;
    }
    if (out != nullptr) out->length = static_cast<std::uint8_t>(length);
    if (compressed != nullptr) *compressed = next != 0;
    return next != 0 ? next : at;
}

std::string name_to_text(std::span<const std::uint8_t> wire) {
    const std::size_t length = plain_name_length(wire);
    if (length == 1) return ".";
    std::string text;
    text.reserve(length);
    for (std::size_t at = 0; at + 1 < length; at += 1U + wire[at]) {
        if (at != 0) text += '.';
        for (const std::uint8_t c : wire.subspan(at + 1, wire[at]))
            append_character(text, c);
    }
    return text;
}

std::optional<std::vector<std::uint8_t>> name_from_text(std::string_view text) {
    if (text == ".") return std::vector<std::uint8_t>{0};
    std::vector<std::uint8_t> wire;
    wire.reserve(text.size() + 2);
    while (!text.empty()) {
        const std::size_t label = wire.size();
        wire.push_back(0);
        while (!text.empty() && text[0] != '.') {
            const auto c = take_character(text);
            if (!c) return std::nullopt;
            wire.push_back(*c);
        }
        const std::size_t length = wire.size() - label - 1;
        if (length == 0 || length > kMaxLabel) return std::nullopt;
        wire[label] = static_cast<std::uint8_t>(length);
        if (!text.empty()) text.remove_prefix(1);
    }
    wire.push_back(0);
    if (wire.size() == 1 || wire.size() > kMaxName) return std::nullopt;
    return wire;
}

}  // namespace steer::dns
