#include "report.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "table.h"

namespace steerctl {
namespace json = boost::json;
namespace {

struct Column {
    std::string_view key, heading;
};

const json::object kNothing;

const json::object& object_of(const json::value& value) {
    const auto* const object = value.if_object();
    return object != nullptr ? *object : kNothing;
}
const json::value* find(const json::object& object, std::string_view key) {
    return object.if_contains(json::string_view(key.data(), key.size()));
}

std::string decimal(double number) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f", number);
    return text.data();
}

// Nothing that would disturb a terminal.
std::string printable(std::string_view text) {
    std::string out(text);
    std::ranges::replace_if(
        out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    return out.empty() ? "-" : out;
}

std::string cell_text(const json::value& value);

std::string list_text(const json::array& list) {
    std::string out;
    for (const auto& item : list)
        out += (out.empty() ? "" : ", ") + cell_text(item);
    return out.empty() ? "-" : out;
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
            return printable(json::serialize(value));
    }
    return "-";
}

std::optional<double> number_of(const json::value* value) {
    if (value == nullptr || !value->is_number()) return std::nullopt;
    return value->to_number<double>();
}

// Keys with a unit in their name are shown in people's units.
std::string cell_text(std::string_view key, const json::value* value) {
    if (value == nullptr) return "-";
    const auto number = number_of(value);
    if (number && key.ends_with("_s")) return duration_text(*number);
    return cell_text(*value);
}

std::string heading_text(std::string_view key) {
    std::string heading(key);
    if (heading.ends_with("_s")) heading.resize(heading.size() - 2);
    std::ranges::replace(heading, '_', ' ');
    return heading;
}

// A list of objects under a heading; the known columns first, then whatever else its rows have.
std::string section(const json::object& all, std::string_view key, std::span<const Column> known) {
    const auto* const value = find(all, key);
    const auto* const rows = value != nullptr ? value->if_array() : nullptr;
    if (rows == nullptr || rows->empty()) return {};
    std::vector<std::string> keys, headings;
    const auto add = [&](std::string_view column, std::string heading) {
        if (std::ranges::find(keys, column) != keys.end()) return;
        keys.emplace_back(column);
        headings.push_back(std::move(heading));
    };
    for (const Column& column : known)
        add(column.key, std::string(column.heading));
    for (const auto& row : *rows) {
        for (const auto& [name, _] : object_of(row))
            add(name, heading_text(name));
    }
    Table table;
    table.row(headings);
    for (const auto& row : *rows) {
        std::vector<std::string> cells;
        for (const auto& column : keys) {
            cells.push_back(cell_text(column, find(object_of(row), column)));
        }
        table.row(std::move(cells));
    }
    return "\n" + heading_text(key) + "\n" + table.text();
}

std::string size_text(double bytes) {
    constexpr std::array kUnits{"bytes", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit)
        bytes /= 1024;
    return (unit == 0 ? std::to_string(std::llround(bytes)) : decimal(bytes)) + " " + kUnits[unit];
}

std::string cache_section(const json::object& status) {
    const auto* const value = find(status, "cache");
    if (value == nullptr || !value->is_object()) return {};
    const json::object& cache = value->get_object();
    const auto bytes = number_of(find(cache, "bytes"));
    return "\ncache\n  " + cell_text("entries", find(cache, "entries")) + " entries, " +
           (bytes ? size_text(*bytes) : "-") + "\n";
}

bool is_zero(const json::value& value) {
    const auto number = number_of(&value);
    return number && *number == 0;
}

// One table of an object {name: number}.
std::string numbers(std::string_view heading, const json::object& object, bool all) {
    Table table;
    for (const auto& [name, value] : object) {
        if (all || !is_zero(value))
            table.row({printable(std::string_view(name)), cell_text(value)});
    }
    return table.empty() ? "" : "\n" + std::string(heading) + "\n" + table.text();
}

// The union of the names that the workers' objects under `group` have, in order.
std::vector<std::string> names_in(const json::array& workers, std::string_view group) {
    std::vector<std::string> names;
    for (const auto& worker : workers) {
        const auto* const object = find(object_of(worker), group);
        if (object == nullptr) continue;
        for (const auto& [name, _] : object_of(*object)) {
            if (std::ranges::find(names, std::string_view(name)) == names.end()) {
                names.emplace_back(std::string_view(name));
            }
        }
    }
    return names;
}

std::uint64_t count_of(const json::value& worker, std::string_view group, std::string_view name) {
    const auto* const object = find(object_of(worker), group);
    const auto* const value = object != nullptr ? find(object_of(*object), name) : nullptr;
    json::error_code not_a_count;
    const auto count = value != nullptr ? value->to_number<std::uint64_t>(not_a_count) : 0;
    return not_a_count ? 0 : count;
}

// One table of counters, a column a worker, and their sum if there is more than one.
std::string group_text(const json::array& workers, std::string_view group, bool all) {
    Table table;
    if (workers.size() > 1) {
        std::vector<std::string> headings{""};
        for (std::size_t i = 0; i < workers.size(); ++i) {
            headings.push_back("worker " + std::to_string(i));
        }
        headings.emplace_back("sum");
        table.row(std::move(headings));
    }
    bool any = false;
    for (const auto& name : names_in(workers, group)) {
        std::vector<std::string> cells{printable(name)};
        std::uint64_t sum = 0;
        for (const auto& worker : workers) {
            const std::uint64_t count = count_of(worker, group, name);
            sum += count;
            cells.push_back(std::to_string(count));
        }
        if (workers.size() > 1) cells.push_back(std::to_string(sum));
        if (sum == 0 && !all) continue;
        any = true;
        table.row(std::move(cells));
    }
    return any ? "\n" + heading_text(group) + "\n" + table.text() : "";
}

std::string workers_text(const json::object& counters, bool all) {
    const auto* const value = find(counters, "workers");
    const auto* const workers = value != nullptr ? value->if_array() : nullptr;
    if (workers == nullptr) return {};
    std::vector<std::string> groups;
    for (const auto& worker : *workers) {
        for (const auto& [group, object] : object_of(worker)) {
            const std::string name(group);
            if (object.is_object() && std::ranges::find(groups, name) == groups.end()) {
                groups.push_back(name);
            }
        }
    }
    std::string out;
    for (const auto& group : groups)
        out += group_text(*workers, group, all);
    return out;
}

}  // namespace

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

std::string status_text(const json::value& value) {
    constexpr std::array kPorts{Column{"device", "device"}, Column{"driver", "driver"},
                                Column{"addresses", "addresses"}, Column{"why", "why"}};
    constexpr std::array kWorkers{Column{"index", "worker"}, Column{"core", "core"},
                                  Column{"parked", "parked"}, Column{"in_flight", "in flight"}};
    constexpr std::array kRouters{Column{"name", "router"}, Column{"address", "address"},
                                  Column{"state", "state"}, Column{"since_s", "since"},
                                  Column{"rows", "rows"},   Column{"claims", "claims"},
                                  Column{"owed", "owed"}};
    constexpr std::array kUpstreams{Column{"name", "upstream"}, Column{"via", "via"},
                                    Column{"rtt_ms", "rtt ms"}};
    const json::object& status = object_of(value);
    return "steerdnsd " + cell_text("version", find(status, "version")) + ", up " +
           cell_text("uptime_s", find(status, "uptime_s")) + ", configuration " +
           cell_text("config", find(status, "config")) + "\n" + section(status, "ports", kPorts) +
           section(status, "workers", kWorkers) + cache_section(status) +
           section(status, "routers", kRouters) + section(status, "upstreams", kUpstreams);
}

std::string counters_text(const json::value& value, bool all) {
    const json::object& counters = object_of(value);
    std::string out = workers_text(counters, all);
    for (const auto& [key, part] : counters) {
        const std::string name(key);
        if (part.is_object()) out += numbers(heading_text(name), part.get_object(), all);
        if (name != "workers") out += section(counters, name, {});
    }
    if (out.empty()) return "nothing was counted yet\n";
    return out.substr(1);  // no blank line before the first table
}

}  // namespace steerctl
