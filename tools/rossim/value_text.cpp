#include "tools/rossim/value_text.h"

#include <charconv>
#include <cstdio>
#include <ctime>

namespace rossim {
namespace {

constexpr std::int64_t kMaxSeconds = std::int64_t{1} << 40;

struct Unit {
    char letter;
    std::int64_t seconds;
};
constexpr Unit kUnits[] = {{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

std::optional<std::int64_t> take_number(std::string_view& text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || value < 0 || value > kMaxSeconds) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

// The rest of "hh:mm" or "hh:mm:ss" behind hh.
std::optional<std::int64_t> take_clock(std::int64_t hours, std::string_view text) {
    std::int64_t total = hours * 3600;
    for (const std::int64_t unit : {60, 1}) {
        if (text.empty()) return total;
        if (text.front() != ':') return std::nullopt;
        text.remove_prefix(1);
        const auto part = take_number(text);
        if (!part || *part > 59) return std::nullopt;
        total += *part * unit;
    }
    return text.empty() ? std::optional(total) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::int64_t total = 0;
    const Unit* unit = std::begin(kUnits);
    while (!text.empty()) {
        const auto number = take_number(text);
        if (!number) return std::nullopt;
        if (text.empty()) return total + *number;
        if (text.front() == ':') {
            const auto clock = take_clock(*number, text);
            return clock ? std::optional(total + *clock) : std::nullopt;
        }
        while (unit != std::end(kUnits) && unit->letter != text.front())
            ++unit;
        if (unit == std::end(kUnits)) return std::nullopt;
        total += *number * unit->seconds;
        ++unit;
        text.remove_prefix(1);
    }
    return total;
}

std::string duration_text(std::int64_t seconds) {
    if (seconds <= 0) return "0s";
    std::string text;
    for (const Unit& unit : kUnits) {
        if (seconds < unit.seconds) continue;
        text += std::to_string(seconds / unit.seconds);
        text += unit.letter;
        seconds %= unit.seconds;
    }
    return text;
}

std::string date_time_text(std::int64_t unix_ns) {
    const std::time_t seconds = static_cast<std::time_t>(unix_ns / 1'000'000'000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    return {text, size};
}

std::string old_date_time_text(std::int64_t unix_ns) {
    constexpr std::string_view kMonths = "janfebmaraprmayjunjulaugsepoctnovdec";
    const std::string text = date_time_text(unix_ns);  // 2026-10-01 08:50:12
    const std::size_t month = static_cast<std::size_t>(std::stoi(text.substr(5, 2)) - 1);
    return std::string(kMonths.substr(3 * month, 3)) + "/" + text.substr(8, 2) + "/" +
           text.substr(0, 4) + text.substr(10);
}

std::string id_text(std::uint64_t id) {
    char text[24];
    return {text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "*%llX",
                                                         static_cast<unsigned long long>(id)))};
}

std::optional<std::uint64_t> parse_id(std::string_view text) {
    if (text.size() < 2 || text.front() != '*') return std::nullopt;
    std::uint64_t id = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + 1, end, id, 16);
    return error == std::errc{} && stop == end ? std::optional(id) : std::nullopt;
}

std::optional<std::vector<std::uint64_t>> parse_id_list(std::string_view text) {
    std::vector<std::uint64_t> ids;
    for (;;) {
        const std::size_t comma = text.find(',');
        const auto id = parse_id(text.substr(0, comma));
        if (!id) return std::nullopt;
        ids.push_back(*id);
        if (comma == std::string_view::npos) return ids;
        text.remove_prefix(comma + 1);
    }
}

std::optional<bool> parse_bool(std::string_view text) {
    if (text == "yes" || text == "true") return true;
    if (text == "no" || text == "false") return false;
    return std::nullopt;
}

}  // namespace rossim
