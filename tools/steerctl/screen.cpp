#include "screen.h"

#include <locale.h>  // newlocale
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>  // wcwidth

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iterator>

namespace steerctl {
namespace {

Screen the_screen;

bool is_set(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

bool shows_colors(ColorChoice choice, int fd) {
    if (choice != ColorChoice::automatic) return choice == ColorChoice::always;
    const char* const terminal = std::getenv("TERM");
    return ::isatty(fd) != 0 && !is_set("NO_COLOR") && is_set("TERM") &&
           std::strcmp(terminal, "dumb") != 0;
}

unsigned width_of_terminal() {
    if (::isatty(STDOUT_FILENO) == 0) return 0;
    if (const char* const given = std::getenv("COLUMNS"); given != nullptr) {
        unsigned columns = 0;
        const char* const end = given + std::strlen(given);
        if (std::from_chars(given, end, columns).ptr == end && columns > 0) return columns;
    }
    winsize size{};
    return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// The character at the front of `text`, with its bytes and columns. Bytes that are not UTF-8 count one each.
struct Character {
    std::size_t bytes = 1, columns = 1;
};
Character first_of(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) return {};
    const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (bytes == 1 || bytes > text.size()) return {};
    char32_t code = lead & (0xffU >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; ++i)
        code = (code << 6) | (static_cast<unsigned char>(text[i]) & 0x3fU);
    // The widths of C.UTF-8, whatever the user's locale is.
    static const locale_t kUnicode = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    const locale_t before = ::uselocale(kUnicode);
    const int columns = ::wcwidth(static_cast<wchar_t>(code));
    ::uselocale(before);
    return {bytes, columns < 0 ? 1 : static_cast<std::size_t>(columns)};
}

}  // namespace

Screen detect_screen(ColorChoice colors, bool as_json, bool is_wide) {
    return {as_json, !as_json && shows_colors(colors, STDOUT_FILENO),
            !as_json && shows_colors(colors, STDERR_FILENO), is_wide ? 0 : width_of_terminal()};
}
void set_screen(const Screen& screen) {
    the_screen = screen;
}
const Screen& screen() {
    return the_screen;
}

std::string styled(Style style, std::string_view text) {
    if (!the_screen.has_colors || style == Style::plain || text.empty()) return std::string(text);
    const auto digit = static_cast<char>('0' + static_cast<char>(style));
    return std::string{kMark, digit} + std::string(text) + std::string{kMark, '0'};
}

Style style_of_state(std::string_view text) {
    constexpr std::string_view kGood[] = {"in_sync", "ready",     "up",     "ok",
                                          "fetched", "unchanged", "passed", "active"};
    constexpr std::string_view kInProgress[] = {"connecting", "logging_in", "reading",
                                                "paused",     "waiting",    "probing"};
    constexpr std::string_view kBad[] = {"disconnected", "unusable", "away",   "down",
                                         "unreachable",  "failed",   "refused"};
    const auto is_one_of = [text](const auto& words) {
        return std::ranges::find(words, text) != std::end(words);
    };
    return is_one_of(kGood)         ? Style::good
           : is_one_of(kInProgress) ? Style::warning
           : is_one_of(kBad)        ? Style::bad
                                    : Style::plain;
}

std::string styled_state(std::string_view text) {
    return styled(style_of_state(text), text);
}

std::string_view color_of(Style style) {
    switch (style) {
        case Style::plain:
            return "\x1b[0m";
        case Style::heading:
            return "\x1b[1m";
        case Style::faint:
            return "\x1b[2m";
        case Style::good:
            return "\x1b[32m";
        case Style::warning:
            return "\x1b[33m";
        case Style::bad:
            return "\x1b[31m";
    }
    return "";
}

Styled without_mark(std::string_view text) {
    if (text.size() < 4 || text[0] != kMark || text[text.size() - 2] != kMark)
        return {Style::plain, text};
    return {static_cast<Style>(text[1] - '0'), text.substr(2, text.size() - 4)};
}

std::size_t display_width(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const Character first = first_of(text);
        columns += first.columns;
        text.remove_prefix(first.bytes);
    }
    return columns;
}

std::string cut(std::string_view text, std::size_t columns) {
    if (display_width(text) <= columns) return std::string(text);
    std::size_t kept = 0, used = 0;
    while (columns > 0) {
        const Character next = first_of(text.substr(kept));
        if (used + next.columns > columns - 1) break;
        used += next.columns;
        kept += next.bytes;
    }
    return std::string(text.substr(0, kept)) + (columns > 0 ? "…" : "");
}

}  // namespace steerctl
