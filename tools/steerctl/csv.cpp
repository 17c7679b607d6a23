#include "csv.h"

#include <array>
#include <boost/json/serialize.hpp>

namespace steerctl {
namespace {

// The same as in control/api/page/export.js.
constexpr std::array<std::string_view, 25> kCsvColumns{
    "time",        "client",     "client_port",   "server",    "transport", "name",      "type",
    "class",       "decision",   "plugin",        "list",      "line",      "list_rule", "rule",
    "end",         "path",       "rcode",         "ede",       "upstream",  "entry",     "answers",
    "duration_us", "query_size", "response_size", "stands_for"};

}  // namespace

std::string csv_cell(std::string_view text) {
    constexpr std::string_view kFormula = "=+-@\t\r";
    const bool is_formula = !text.empty() && kFormula.find(text[0]) != std::string_view::npos;
    if (!is_formula && text.find_first_of(",\"\r\n") == std::string_view::npos)
        return std::string(text);
    std::string out = is_formula ? "\"'" : "\"";
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + '"';
}

std::string csv_heading() {
    std::string out;
    for (const std::string_view column : kCsvColumns)
        out.append(out.empty() ? "" : ",").append(column);
    return out + "\r\n";
}

std::string csv_line(const boost::json::object& query) {
    std::string out;
    for (const std::string_view column : kCsvColumns) {
        if (column != kCsvColumns.front()) out += ',';
        const auto* const value =
            query.if_contains(boost::json::string_view(column.data(), column.size()));
        if (value == nullptr) continue;
        out += value->is_string() ? csv_cell(std::string_view(value->get_string()))
                                  : boost::json::serialize(*value);
    }
    return out + "\r\n";
}

}  // namespace steerctl
