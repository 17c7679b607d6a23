// One query as a line of JSON, whole or for the hit log. docs/guides/query-log.md documents the
// fields; their names are stable.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "control/observe/recorder/recorded_query.h"

namespace steer::recorder {

class JsonLine {
  public:
    // Appends the object, and a newline. Allocates only while `out` grows.
    void append(const RecordedQuery& query, std::string& out);
    // Appends a line of the hit log: what a list blocked, and which version of it.
    void append_hit(const RecordedQuery& query, std::string& out);

  private:
    void put_time(std::int64_t time_us, std::string& out);
    std::string_view type_of(std::uint16_t type);

    std::int64_t second_ = -1;  // second of second_text_
    std::string second_text_;   // "2026-11-23T17:20:05"
    std::unordered_map<std::uint16_t, std::string> types_;
};

// Appends the line of the hit log that says what is missing before it: lines, and queries that
// might have been lines.
void append_gap(std::int64_t time_us, std::uint64_t lines, std::uint64_t queries, std::string& out);

// The same object.
boost::json::object json_of(const RecordedQuery& query);

// "2026-11-23T17:20:05.123456Z" for microseconds since 1970.
std::string time_text(std::int64_t time_us);

}  // namespace steer::recorder
