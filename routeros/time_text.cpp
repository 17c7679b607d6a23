#include "routeros/time_text.h"

#include <array>

namespace steer::routeros {

namespace {

struct Unit {
    std::string_view name;
    std::uint64_t seconds;  // 0: less than one
};
// Longest names first: `ms` is not `m`.
constexpr std::array<Unit, 8> kUnits{{{"ms", 0},
                                      {"us", 0},
                                      {"ns", 0},
                                      {"w", 604800},
                                      {"d", 86400},
                                      {"h", 3600},
                                      {"m", 60},
                                      {"s", 1}}};

constexpr std::uint64_t kLargest = std::uint64_t{1} << 40;  // 34,000 years

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::optional<std::uint64_t> take_number(std::string_view& text) {
    if (text.empty() || !is_digit(text.front())) return std::nullopt;
    std::uint64_t value = 0;
    while (!text.empty() && is_digit(text.front())) {
        value = value * 10 + static_cast<std::uint64_t>(text.front() - '0');
        if (value > kLargest) return std::nullopt;
        text.remove_prefix(1);
    }
    return value;
}

// `.5`: less than a second does not count.
void skip_fraction(std::string_view& text) {
    if (text.size() < 2 || text[0] != '.' || !is_digit(text[1])) return;
    text.remove_prefix(1);
    while (!text.empty() && is_digit(text.front()))
        text.remove_prefix(1);
}

// The rest of `hh:mm:ss` or `hh:mm`, after `hh`.
std::optional<std::uint64_t> take_clock(std::string_view& text, std::uint64_t hours) {
    std::uint64_t total = hours * 3600, weight = 60;
    for (int part = 0; part < 2 && !text.empty() && text.front() == ':'; ++part, weight /= 60) {
        text.remove_prefix(1);
        const auto value = take_number(text);
        if (!value || *value > 59) return std::nullopt;
        total += *value * weight;
    }
    skip_fraction(text);
    return text.empty() ? std::optional{total} : std::nullopt;
}

const Unit* take_unit(std::string_view& text) {
    for (const auto& unit : kUnits) {
        if (text.starts_with(unit.name)) {
            text.remove_prefix(unit.name.size());
            return &unit;
        }
    }
    return nullptr;
}

}  // namespace

std::string time_text(std::uint64_t seconds) {
    if (seconds == 0) return "0s";
    std::string out;
    for (const auto& unit : kUnits) {
        if (unit.seconds == 0 || seconds < unit.seconds) continue;
        out += std::to_string(seconds / unit.seconds);
        out += unit.name;
        seconds %= unit.seconds;
    }
    return out;
}

std::optional<std::uint64_t> parse_time(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::uint64_t total = 0;
    bool units = false;
    while (!text.empty()) {
        const auto value = take_number(text);
        if (!value) return std::nullopt;
        if (text.starts_with(':')) {
            const auto clock = take_clock(text, *value);
            if (!clock) return std::nullopt;
            total += *clock;
            break;
        }
        skip_fraction(text);
        if (text.empty()) {
            if (units) return std::nullopt;  // `1h30` is ambiguous
            total += *value;
            break;
        }
        const Unit* unit = take_unit(text);
        if (unit == nullptr) return std::nullopt;
        units = true;
        if (unit->seconds != 0 && *value > kLargest / unit->seconds) return std::nullopt;
        total += *value * unit->seconds;
    }
    return total <= kLargest ? std::optional{total} : std::nullopt;
}

}  // namespace steer::routeros
