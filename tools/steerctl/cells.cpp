#include "cells.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>

#include "matchers/safe_text.h"
#include "screen.h"
#include "table.h"

namespace steerctl {
namespace json = boost::json;
namespace {

std::string decimal(double number) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f", number);
    return text.data();
}

std::string list_text(const json::array& list) {
    std::string out;
    for (const auto& item : list)
        out += (out.empty() ? "" : ", ") + cell_text(item);
    return out.empty() ? "-" : out;
}

std::string pairs_text(const json::object& object) {
    std::string out;
    for (const auto& [key, value] : object) {
        out += (out.empty() ? "" : ", ") + heading_text(key) + " " + cell_text(key, &value);
    }
    return out.empty() ? "-" : printable(out);
}

}  // namespace

const json::object& object_of(const json::value& value) {
    static const json::object kNothing;
    const auto* const object = value.if_object();
    return object != nullptr ? *object : kNothing;
}
const json::array& array_of(const json::object& object, std::string_view key) {
    static const json::array kNone;
    const auto* const found = find(object, key);
    const auto* const array = found == nullptr ? nullptr : found->if_array();
    return array == nullptr ? kNone : *array;
}
const json::value* find(const json::object& object, std::string_view key) {
    return object.if_contains(json::string_view(key.data(), key.size()));
}

std::string string_of(const json::object& object, std::string_view key) {
    const json::value* const found = find(object, key);
    const json::string* const text = found == nullptr ? nullptr : found->if_string();
    return text == nullptr ? std::string() : std::string(*text);
}

std::string printable(std::string_view text) {
    return text.empty() ? "-" : steer::safe_text(text, steer::kSafeLineBytes);
}

std::string cell_text(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return "-";
        case json::kind::bool_:
            return value.get_bool() ? "yes" : "no";
        case json::kind::int64:
            return std::to_string(value.get_int64());
        case json::kind::uint64:
            return std::to_string(value.get_uint64());
        case json::kind::double_:
            return decimal(value.get_double());
        case json::kind::string:
            return printable(std::string_view(value.get_string()));
        case json::kind::array:
            return list_text(value.get_array());
        case json::kind::object:
            return pairs_text(value.get_object());
    }
    return "-";
}

bool is_true(const json::object& object, std::string_view key) {
    const auto* const found = find(object, key);
    return found != nullptr && found->is_bool() && found->get_bool();
}

std::optional<double> number_of(const json::value* value) {
    if (value == nullptr || !value->is_number()) return std::nullopt;
    return value->to_number<double>();
}

std::string cell_text(std::string_view key, const json::value* value) {
    if (value == nullptr) return "-";
    const auto number = number_of(value);
    if (number && key.ends_with("_s")) return duration_text(*number);
    if (number && key.ends_with("_bytes")) return size_text(*number);
    return cell_text(*value);
}

std::string text_of(const json::object& object, std::string_view key) {
    return cell_text(key, find(object, key));
}

std::string state_cell(const json::object& object, std::string_view key) {
    std::string text = text_of(object, key);
    return key == "state" || key == "outcome" ? styled_state(text) : text;
}

std::string section_heading(std::string_view text) {
    return styled(Style::heading, text) + "\n";
}

std::string rows_text(const json::array& rows, std::span<const std::string_view> keys,
                      std::vector<std::string> headings) {
    if (rows.empty()) return {};
    Table table;
    table.headings(std::move(headings));
    for (const auto& row : rows) {
        std::vector<std::string> cells;
        cells.reserve(keys.size());
        for (const auto key : keys)
            cells.push_back(state_cell(object_of(row), key));
        table.row(std::move(cells));
    }
    return table.text();
}

std::string heading_text(std::string_view key) {
    std::string heading(key);
    for (const std::string_view unit : {"_s", "_bytes"}) {
        if (heading.ends_with(unit)) heading.resize(heading.size() - unit.size());
    }
    std::ranges::replace(heading, '_', ' ');
    return heading;
}

std::string share_text(double part, double whole) {
    return whole > 0 ? decimal(part * 100 / whole) + " %" : "-";
}

std::string size_text(double bytes) {
    constexpr std::array kUnits{"bytes", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit)
        bytes /= 1024;
    return (unit == 0 ? std::to_string(std::llround(bytes)) : decimal(bytes)) + " " + kUnits[unit];
}

std::string date_text(double unix_s) {
    const auto at = static_cast<std::time_t>(std::max(-1e11, std::min(unix_s, 1e11)));
    std::tm parts{};
    std::array<char, 64> text{};
    if (gmtime_r(&at, &parts) == nullptr) return "-";
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts)};
}

std::string duration_text(double seconds) {
    const auto total = static_cast<std::int64_t>(std::max(0.0, std::min(seconds, 1e15)));
    struct Unit {
        std::int64_t seconds;
        const char* name;
    };
    constexpr std::array kUnits{Unit{86400, " d"}, Unit{3600, " h"}, Unit{60, " min"},
                                Unit{1, " s"}};
    for (std::size_t i = 0; i + 1 < kUnits.size(); ++i) {
        if (total < kUnits[i].seconds) continue;
        return std::to_string(total / kUnits[i].seconds) + kUnits[i].name + " " +
               std::to_string(total % kUnits[i].seconds / kUnits[i + 1].seconds) +
               kUnits[i + 1].name;
    }
    return std::to_string(total) + " s";
}

}  // namespace steerctl
