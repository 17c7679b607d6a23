// JSON values as text in a cell, whatever they are.
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

// An empty object or array for what is none; nullptr for a key that is missing.
const boost::json::object& object_of(const boost::json::value& value);
const boost::json::array& array_of(const boost::json::object& object, std::string_view key);
const boost::json::value* find(const boost::json::object& object, std::string_view key);

// Whether it is there, and true.
bool is_true(const boost::json::object& object, std::string_view key);
std::optional<double> number_of(const boost::json::value* value);

// "-" for nothing; lists with commas; of an object "key value" with commas; without bytes that would
// disturb a terminal.
std::string cell_text(const boost::json::value& value);
// The same; a key that ends in _s is a duration, one in _bytes a size.
std::string cell_text(std::string_view key, const boost::json::value* value);
std::string text_of(const boost::json::object& object, std::string_view key);
std::string printable(std::string_view text);

// text_of() for a table: a state or an outcome with its colour.
std::string state_cell(const boost::json::object& object, std::string_view key);
// The line above a table, with its end.
std::string section_heading(std::string_view text);

// The values of these keys of each row, under these headings; empty: there are no rows.
std::string rows_text(const boost::json::array& rows, std::span<const std::string_view> keys,
                      std::vector<std::string> headings);

// A key for people: "in_flight" is "in flight", "since_s" is "since".
std::string heading_text(std::string_view key);

std::string date_text(double unix_s);               // "2026-12-31 23:59 UTC"
std::string duration_text(double seconds);          // "3 d 4 h", "12 min 5 s", "0 s"
std::string share_text(double part, double whole);  // "12.5 %"; "-" of nothing
std::string size_text(double bytes);                // "512 bytes", "1.5 MiB"

}  // namespace steerctl
