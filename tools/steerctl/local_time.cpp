#include "local_time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace steerctl {
namespace {

constexpr std::int64_t kDay = 86'400, kMicroseconds = 1'000'000;

// Takes a number of exactly `digits` digits from the beginning.
bool take_number(std::string_view& text, std::size_t digits, int& out) {
    if (text.size() < digits) return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + digits, out);
    if (error != std::errc{} || end != text.data() + digits || out < 0) return false;
    text.remove_prefix(digits);
    return true;
}

bool take(std::string_view& text, char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

// "21:00" or "21:00:30".
bool take_clock(std::string_view& text, std::tm& out) {
    if (!take_number(text, 2, out.tm_hour) || !take(text, ':') || !take_number(text, 2, out.tm_min))
        return false;
    if (take(text, ':') && !take_number(text, 2, out.tm_sec)) return false;
    return out.tm_hour < 24 && out.tm_min < 60 && out.tm_sec < 60;
}

// Local seconds since 1970; summer time as the zone has it at that time.
std::int64_t local_seconds(std::tm parts) {
    parts.tm_isdst = -1;
    return std::mktime(&parts);
}

std::tm local_parts(std::int64_t at_s) {
    const auto at = static_cast<std::time_t>(at_s);
    std::tm parts{};
    (void)::localtime_r(&at, &parts);
    return parts;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
    return number;
}

}  // namespace

std::optional<std::int64_t> time_from(std::string_view text, std::int64_t now_s) {
    if (text == "now") return now_s;
    if (const auto number = whole_number(text)) return number;
    std::tm parts{};
    std::string_view left = text;
    if (take_clock(left, parts) && left.empty()) {
        std::tm today = local_parts(now_s);
        today.tm_hour = parts.tm_hour;
        today.tm_min = parts.tm_min;
        today.tm_sec = parts.tm_sec;
        if (local_seconds(today) > now_s) --today.tm_mday;
        return local_seconds(today);
    }
    parts = {};
    left = text;
    if (!take_number(left, 4, parts.tm_year) || !take(left, '-') ||
        !take_number(left, 2, parts.tm_mon) || !take(left, '-') ||
        !take_number(left, 2, parts.tm_mday))
        return std::nullopt;
    if (parts.tm_year < 1970 || parts.tm_mon < 1 || parts.tm_mon > 12 || parts.tm_mday < 1 ||
        parts.tm_mday > 31)
        return std::nullopt;
    parts.tm_year -= 1900;
    --parts.tm_mon;
    const int day = parts.tm_mday;
    if ((take(left, 'T') || take(left, ' ')) && !take_clock(left, parts)) return std::nullopt;
    const bool is_utc = take(left, 'Z');
    if (!left.empty()) return std::nullopt;
    const std::int64_t seconds = is_utc ? ::timegm(&parts) : local_seconds(parts);
    // The 31st of a month with 30 days is no date.
    if (is_utc ? parts.tm_mday != day : local_parts(seconds).tm_mday != day) return std::nullopt;
    return seconds;
}

std::optional<std::vector<std::string>> daily_ranges(std::string_view text, std::int64_t from_s,
                                                     std::int64_t to_s) {
    std::tm begin{}, end{};
    if (!take_clock(text, begin) || !take(text, '-') || !take_clock(text, end) || !text.empty())
        return std::nullopt;
    const auto second = [](const std::tm& clock) {
        return (clock.tm_hour * 60 + clock.tm_min) * 60 + clock.tm_sec;
    };
    const bool is_over_midnight = second(end) <= second(begin);
    std::vector<std::string> ranges;
    std::tm day = local_parts(from_s - kDay);
    for (;; ++day.tm_mday) {
        const auto at = [&day](const std::tm& clock, int days_later) {
            std::tm parts = day;
            parts.tm_hour = clock.tm_hour;
            parts.tm_min = clock.tm_min;
            parts.tm_sec = clock.tm_sec;
            parts.tm_mday += days_later;
            return local_seconds(parts);
        };
        const std::int64_t first = at(begin, 0);
        if (first >= to_s) return ranges;
        const std::int64_t from = std::max(first, from_s);
        const std::int64_t to = std::min(at(end, is_over_midnight ? 1 : 0), to_s);
        if (from < to) ranges.push_back(std::to_string(from) + "-" + std::to_string(to));
    }
}

std::string local_time_text(std::int64_t time_us) {
    const std::tm parts = local_parts(time_us / kMicroseconds);
    std::array<char, 64> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
    std::array<char, 8> milliseconds{};
    (void)std::snprintf(milliseconds.data(), milliseconds.size(), ".%03d",
                        static_cast<int>(time_us % kMicroseconds / 1000));
    return std::string(text.data(), length) + milliseconds.data();
}

std::string zone_text(std::int64_t at_s) {
    const std::tm parts = local_parts(at_s);
    const std::string name = parts.tm_zone == nullptr ? "" : parts.tm_zone;
    if (parts.tm_gmtoff == 0 && name == "UTC") return name;
    const long minutes = std::labs(parts.tm_gmtoff) / 60;
    std::array<char, 32> offset{};
    (void)std::snprintf(offset.data(), offset.size(), "UTC%c%02ld:%02ld",
                        parts.tm_gmtoff < 0 ? '-' : '+', minutes / 60, minutes % 60);
    // Zones without letters are named by their offset.
    const bool has_letters =
        std::ranges::any_of(name, [](char c) { return (c >= 'A' && c <= 'Z') || c == '/'; });
    return has_letters ? name + ", " + offset.data() : std::string(offset.data());
}

}  // namespace steerctl
