#include "matchers/list/zone_entries.h"

#include <utility>

#include "matchers/list/lines.h"
#include "matchers/text.h"

namespace steer::matchers {
namespace {

constexpr std::uint64_t kMaxTtlS = (std::uint64_t{1} << 31) - 1;  // RFC 2181 8

bool is_gap(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

std::uint64_t seconds_of_unit(char unit) {
    switch (lower(unit)) {
        case 'w':
            return 604'800;
        case 'd':
            return 86'400;
        case 'h':
            return 3'600;
        case 'm':
            return 60;
        case 's':
            return 1;
        default:
            return 0;
    }
}

}  // namespace

ZoneEntries::ZoneEntries(std::string_view bytes) : rest_(without_marks(bytes)) {}

std::optional<ZoneEntry> ZoneEntries::next() {
    while (!rest_.empty()) {
        ZoneEntry entry = take_entry();
        if (!entry.words.empty() || !entry.error.empty()) return entry;
    }
    return std::nullopt;
}

ZoneEntry ZoneEntries::take_entry() {
    ZoneEntry entry;
    entry.line = line_;
    entry.has_owner = !is_gap(rest_.front());
    bool inside = false;
    while (!rest_.empty()) {
        const char c = rest_.front();
        if (c == '\n') {
            skip();
            if (!inside) return entry;
        } else if (is_gap(c)) {
            skip();
        } else if (c == ';' || (c == '#' && entry.words.empty())) {
            skip_line();
        } else if (c == '(' || c == ')') {
            if (inside == (c == '(')) entry.error = "a parenthesis without another";
            inside = c == '(';
            skip();
        } else {
            take_word(entry);
        }
    }
    if (inside) entry.error = "a parenthesis that is not closed";
    return entry;
}

// Quotes may begin inside a word, as in alpn="h2,h3".
void ZoneEntries::take_word(ZoneEntry& entry) {
    ZoneWord word;
    bool quoted = false;
    while (!rest_.empty() && rest_.front() != '\n') {
        const char c = rest_.front();
        if (!quoted && (is_gap(c) || c == ';' || c == '(' || c == ')')) break;
        skip();
        if (c == '"') {
            quoted = !quoted;
            word.quoted = true;
            continue;
        }
        word.text += c;
        if (c == '\\' && !rest_.empty() && rest_.front() != '\n') {
            word.text += rest_.front();
            skip();
        }
    }
    if (quoted) entry.error = "a quote that is not closed on its line";
    entry.words.push_back(std::move(word));
}

void ZoneEntries::skip() {
    if (rest_.front() == '\n') ++line_;
    rest_.remove_prefix(1);
}

void ZoneEntries::skip_line() {
    while (!rest_.empty() && rest_.front() != '\n')
        rest_.remove_prefix(1);
}

std::string absolute_zone_name(const std::string& text, const std::string& origin) {
    if (text == "@") return origin;
    if (text == ".") return {};
    if (text.ends_with('.') && !text.ends_with("\\.")) return text.substr(0, text.size() - 1);
    return origin.empty() ? text : text + "." + origin;
}

std::optional<std::uint32_t> zone_ttl_s(std::string_view text) {
    if (text.empty() || !is_digit(text.front())) return std::nullopt;
    std::uint64_t total = 0;
    bool has_unit = false;
    while (!text.empty()) {
        std::uint64_t number = 0;
        std::size_t digits = 0;
        for (; digits < text.size() && is_digit(text[digits]); ++digits) {
            number = number * 10 + static_cast<std::uint64_t>(text[digits] - '0');
            if (number > kMaxTtlS) return std::nullopt;
        }
        if (digits == 0) return std::nullopt;
        text.remove_prefix(digits);
        if (text.empty()) {
            if (has_unit) return std::nullopt;
        } else {
            const std::uint64_t unit = seconds_of_unit(text.front());
            if (unit == 0) return std::nullopt;
            number *= unit;
            has_unit = true;
            text.remove_prefix(1);
        }
        total += number;
        if (total > kMaxTtlS) return std::nullopt;
    }
    return static_cast<std::uint32_t>(total);
}

}  // namespace steer::matchers
