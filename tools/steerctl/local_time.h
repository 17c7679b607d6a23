// Points in time as a person writes and reads them: in the time zone of this machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace steerctl {

// Seconds since 1970 for "2026-11-27T21:00", "2026-11-27 21:00:30", "2026-11-27", "21:00" (the last
// one before `now_s`), "now", or that number. A "Z" at the end: UTC. No value: another text.
std::optional<std::int64_t> time_from(std::string_view text, std::int64_t now_s);
inline constexpr const char* kTimeForms =
    "expected a time such as 2026-11-27T21:00, 2026-11-27, 21:00, or seconds since 1970";

// The parts of [from_s, to_s) that are at this time of a day, such as "21:00-06:00" (over
// midnight), the earliest first: "FROM-TO" in seconds since 1970. No value: another text.
inline constexpr std::size_t kMostDays = 400;
std::optional<std::vector<std::string>> daily_ranges(std::string_view text, std::int64_t from_s,
                                                     std::int64_t to_s);

std::string local_time_text(std::int64_t time_us);  // "2026-11-27 21:00:05.123"
std::string zone_text(std::int64_t at_s);           // "CET, UTC+01:00"; "UTC"

}  // namespace steerctl
