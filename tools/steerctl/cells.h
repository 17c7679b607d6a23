// Formats any JSON value as the text of a cell.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace steerctl {

// Returns an empty object or array for other types; nullptr for a missing key.
const boost::json::object& object_of(const boost::json::value& value);
const boost::json::array& array_of(const boost::json::object& object, std::string_view key);
const boost::json::value* find(const boost::json::object& object, std::string_view key);

// Returns whether the key exists and is true.
bool is_true(const boost::json::object& object, std::string_view key);
std::optional<double> number_of(const boost::json::value* value);

// Returns "-" for no value, lists with commas, objects as "key value" with commas; without bytes
// that would disturb a terminal.
std::string cell_text(const boost::json::value& value);
// The same; a value with a key in _s is a duration, in _bytes a size.
std::string cell_text(std::string_view key, const boost::json::value* value);
std::string text_of(const boost::json::object& object, std::string_view key);
// Returns the string itself; empty if there is none.
std::string string_of(const boost::json::object& object, std::string_view key);
std::string printable(std::string_view text);

// Returns text_of() for a table, with the colour of the state or outcome.
std::string state_cell(const boost::json::object& object, std::string_view key);
// Returns the line above a table, with its newline.
std::string section_heading(std::string_view text);

// Returns the values of these keys of each row under these headings; empty if there are no rows.
std::string rows_text(const boost::json::array& rows, std::span<const std::string_view> keys,
                      std::vector<std::string> headings);

// Returns a key in words: "in_flight" becomes "in flight", "since_s" becomes "since".
std::string heading_text(std::string_view key);

std::string date_text(double unix_s);               // "2026-12-31 23:59 UTC"
std::string duration_text(double seconds);          // "3 d 4 h", "12 min 5 s", "0 s"
std::string share_text(double part, double whole);  // "12.5 %"; "-" if whole is 0
std::string size_text(double bytes);                // "512 bytes", "1.5 MiB"

}  // namespace steerctl
