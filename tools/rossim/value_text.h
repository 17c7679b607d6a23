// Values as RouterOS writes and reads them: durations, dates, ids, booleans.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rossim {

inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Parses "1d", "3600", "3600s", "1h30m", "01:00:00" or "1w2d03:04:05" to seconds; nothing if the
// text is not a duration.
std::optional<std::int64_t> parse_duration(std::string_view text);

// Returns "1w2d3h4m5s" without zero units; "0s" for 0.
std::string duration_text(std::int64_t seconds);

// "2025-01-24 16:31:46", UTC.
std::string date_time_text(std::int64_t unix_ns);
// "oct/01/2026 08:50:12", before 7.10
std::string old_date_time_text(std::int64_t unix_ns);

// "*1D".
std::string id_text(std::uint64_t id);
std::optional<std::uint64_t> parse_id(std::string_view text);
// Parses "*1,*2"; nothing if an element is not an id.
std::optional<std::vector<std::uint64_t>> parse_id_list(std::string_view text);

// yes, no, true, false.
std::optional<bool> parse_bool(std::string_view text);
inline std::string_view bool_text(bool value) {
    return value ? "true" : "false";
}

}  // namespace rossim
