#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "cells.h"
#include "local_time.h"
#include "report.h"
#include "table.h"

namespace steerctl {
namespace json = boost::json;
namespace {

struct Column {
    std::string_view heading, key;
};

std::int64_t whole(const json::object& object, std::string_view key) {
    return static_cast<std::int64_t>(number_of(find(object, key)).value_or(0));
}

std::string cell(const json::object& row, std::string_view key) {
    if (key == "last_us") return local_time_text(whole(row, key));
    if (key == "slowest_us") return std::to_string(whole(row, key) / 1000) + " ms";
    return text_of(row, key);
}

// A section of the sheet; a sentence in place of an empty one.
std::string section(const json::object& all, std::string_view key, const std::string& title,
                    const char* empty, std::initializer_list<Column> columns) {
    const json::array& rows = array_of(all, key);
    std::string out = "\n" + section_heading(title);
    if (rows.empty()) return out + "  " + empty + "\n";
    Table table;
    std::vector<std::string> headings;
    for (const Column& column : columns)
        headings.emplace_back(column.heading);
    table.headings(std::move(headings));
    for (const json::value& one : rows) {
        std::vector<std::string> cells;
        for (const Column& column : columns)
            cells.push_back(cell(object_of(one), column.key));
        table.row(std::move(cells));
    }
    return out + table.text();
}

}  // namespace

std::string support_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    const std::int64_t to = whole(all, "to");
    const bool is_part = find(all, "read_from_us") != nullptr;
    const std::int64_t from_us =
        is_part ? whole(all, "read_from_us") : whole(all, "from") * 1'000'000;
    std::string out = "client " + text_of(all, "client") + ", " + text_of(all, "queries") +
                      " queries from " + local_time_text(from_us) + " to " +
                      local_time_text(to * 1'000'000) + " (" + zone_text(to) + ")\n";
    const auto* const complete = find(all, "complete");
    if (complete != nullptr && complete->is_bool() && !complete->as_bool())
        out += "these are not all queries of the 15 minutes: earlier ones were not read\n";
    if (whole(all, "one_in") > 1)
        out += "one of " + text_of(all, "one_in") + " queries is recorded: numbers are estimates\n";
    const auto* const only_marked = find(all, "only_marked");
    if (only_marked != nullptr && only_marked->is_bool() && only_marked->as_bool())
        out +=
            "queries are recorded by their marks only (include_marks, exclude_marks): some may be "
            "missing\n";
    const Column last{"last", "last_us"}, name{"name", "name"}, type{"type", "type"},
        queries{"queries", "queries"};
    out += section(all, "blocked", "blocked", "nothing was blocked",
                   {last,
                    name,
                    type,
                    queries,
                    {"plugin", "plugin"},
                    {"list", "list"},
                    {"line", "line"},
                    {"rule", "rule"}});
    out += section(
        all, "failed", "failed", "no query failed",
        {last, name, type, queries, {"result", "rcode"}, {"end", "end"}, {"upstream", "upstream"}});
    out +=
        section(all, "slow", "slow (500 ms or more)", "no answer was slow",
                {last, name, type, queries, {"slowest", "slowest_us"}, {"upstream", "upstream"}});
    out += section(all, "steered", "steered", "no name was steered",
                   {last, name, type, queries, {"list", "plugin"}, {"answers", "answers"}});
    out += section(all, "rows", "rows on routers", "no router has a row for these answers",
                   {{"router", "router"},
                    {"address", "address"},
                    {"list", "list"},
                    {"name", "name"},
                    {"row", "row"}});
    out += section(all, "marks", "connection marks, as the doctor saw them",
                   "unknown: run 'steerctl doctor --watch' with a name to probe",
                   {{"router", "router"},
                    {"step", "step"},
                    {"result", "result"},
                    {"age", "age_s"},
                    {"stale", "stale"},
                    {"what", "text"}});
    out += section(all, "asked", "asked, the most frequent first", "no query was recorded",
                   {queries, name, type, {"decision", "decision"}, {"result", "rcode"}, last});
    return out;
}

}  // namespace steerctl
