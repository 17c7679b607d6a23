#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <span>
#include <vector>

#include "cells.h"
#include "report.h"
#include "screen.h"
#include "table.h"

namespace steerctl {
namespace json = boost::json;
namespace {

struct Key {
    std::string_view key, heading;
};

// What people read first, in this order; a key that no row has is left out.
constexpr std::array kPorts{Key{"device", "device"}, Key{"driver", "driver"},
                            Key{"addresses", "addresses"}, Key{"why", "why"}};
constexpr std::array kWorkers{Key{"index", "worker"},   Key{"core", "core"},
                              Key{"cpu", "cpu"},        Key{"busy_percent", "busy %"},
                              Key{"parked", "pending"}, Key{"in_flight", "in flight"}};
constexpr std::array kRouters{Key{"name", "router"},       Key{"address", "address"},
                              Key{"state", "state"},       Key{"since_s", "since"},
                              Key{"rows", "rows"},         Key{"claims", "claims"},
                              Key{"owed", "rows to write"}};
constexpr std::array kSets{Key{"name", "set"},          Key{"family", "family"},
                           Key{"state", "state"},       Key{"timeouts", "timeouts"},
                           Key{"prefixes", "prefixes"}, Key{"claims", "claims"},
                           Key{"owed", "to write"}};
constexpr std::array kOpnsense{Key{"name", "OPNsense"}, Key{"address", "address"},
                               Key{"alias", "alias"},   Key{"list", "list"},
                               Key{"state", "state"},   Key{"elements", "elements"},
                               Key{"owed", "to write"}, Key{"foreign", "foreign"}};
constexpr std::array kUpstreams{Key{"name", "upstream"},   Key{"forward", "forward"},
                                Key{"via", "via"},         Key{"random_case", "random case"},
                                Key{"rtt_ms", "rtt ms"},   Key{"connections", "connections"},
                                Key{"address", "address"}, Key{"transport", "transport"}};
constexpr std::array kMdns{Key{"name", "interface"},    Key{"ipv4", "IPv4"},
                           Key{"ipv6", "IPv6"},         Key{"received", "received"},
                           Key{"repeated", "repeated"}, Key{"sent", "sent"}};
// Of routers only `steerctl routers` shows these.
constexpr std::array<std::string_view, 9> kRouterDetails{
    "board",         "cpu_share_percent",      "service_us", "rtt_ms", "flash_sectors_since_reboot",
    "flash_sectors", "flash_sectors_per_hour", "findings",   "lists"};
// Sentences are too long for a column: they follow their table.
constexpr std::array kSentences{Key{"trouble", "trouble"}};

bool is_sentence(std::string_view key) {
    return std::ranges::find(kSentences, key, &Key::key) != kSentences.end();
}

bool any_has(const json::array& rows, std::string_view key) {
    return std::ranges::any_of(
        rows, [key](const json::value& row) { return find(object_of(row), key) != nullptr; });
}

using Keys = std::span<const std::string_view>;

// The columns of a table: the known ones, then whatever else its rows have, but `hidden`.
std::vector<std::pair<std::string, std::string>> columns_of(const json::array& rows,
                                                            std::span<const Key> known,
                                                            Keys hidden) {
    std::vector<std::pair<std::string, std::string>> columns;
    for (const auto& [key, heading] : known) {
        if (any_has(rows, key)) columns.emplace_back(key, heading);
    }
    for (const auto& row : rows) {
        for (const auto& [name, _] : object_of(row)) {
            const std::string key(name);
            const bool seen =
                std::ranges::any_of(columns, [&](const auto& c) { return c.first == key; }) ||
                std::ranges::find(hidden, key) != hidden.end();
            if (!seen && !is_sentence(key)) columns.emplace_back(key, heading_text(key));
        }
    }
    return columns;
}

std::string sentences_of(const json::array& rows) {
    std::string out;
    for (const auto& row : rows) {
        for (const auto& [key, _] : kSentences) {
            const std::string text = text_of(object_of(row), key);
            if (text != "-")
                out +=
                    "  " + styled(Style::bad, text_of(object_of(row), "name")) + ": " + text + "\n";
        }
    }
    return out;
}

std::string section(const json::object& all, std::string_view key, std::span<const Key> known,
                    Keys hidden = {}) {
    const auto* const value = find(all, key);
    const auto* const rows = value != nullptr ? value->if_array() : nullptr;
    if (rows == nullptr || rows->empty()) return {};
    const auto columns = columns_of(*rows, known, hidden);
    Table table;
    std::vector<std::string> headings;
    headings.reserve(columns.size());
    for (const auto& [_, heading] : columns)
        headings.push_back(heading);
    table.headings(std::move(headings));
    for (const auto& row : *rows) {
        std::vector<std::string> cells;
        cells.reserve(columns.size());
        for (const auto& [column, _] : columns) {
            cells.push_back(state_cell(object_of(row), column));
        }
        table.row(std::move(cells));
    }
    return "\n" + section_heading(heading_text(key)) + table.text() + sentences_of(*rows);
}

std::string problem_section(const json::object& status) {
    const json::array& all = array_of(status, "problems");
    if (all.empty()) return {};
    std::string out = "\n" + section_heading("problems");
    for (const auto& one : all)
        out += "  " + styled(Style::bad, text_of(object_of(one), "subject")) + ": " +
               text_of(object_of(one), "text") + "\n";
    return out;
}

std::string cache_section(const json::object& status) {
    const auto* const value = find(status, "cache");
    if (value == nullptr || !value->is_object()) return {};
    const json::object& cache = value->get_object();
    const auto bytes = number_of(find(cache, "bytes"));
    const bool has_shards = number_of(find(cache, "shards")).value_or(1) > 1;
    return "\n" + section_heading("cache") + "  " + text_of(cache, "entries") + " entries, " +
           (bytes ? size_text(*bytes) : "-") +
           (has_shards ? ", " + text_of(cache, "shards") + " shards" : "") + "\n";
}

std::string lists_section(const json::object& status) {
    const auto* const value = find(status, "lists");
    if (value == nullptr || !value->is_object()) return {};
    const json::object& lists = value->get_object();
    std::string out = "\n" + section_heading("lists") + "  " + text_of(lists, "lists") +
                      " lists, " + text_of(lists, "rules") + " rules, " +
                      text_of(lists, "bad_lines") + " invalid lines and " +
                      text_of(lists, "left_out") + " unsupported rules skipped\n";
    for (const auto& source : array_of(lists, "not_loaded"))
        out += "  not fetched yet: " + cell_text("", &source) + "\n";
    return out;
}

std::string certificate_section(const json::object& status) {
    Table table;
    for (const auto& one : array_of(status, "certificates")) {
        const auto ends = number_of(find(object_of(one), "ends_s"));
        const bool is_theirs = find(object_of(one), "upstream") != nullptr;
        if (table.empty()) table.headings({"file or upstream", "subject", "until"});
        table.row({text_of(object_of(one), is_theirs ? "upstream" : "file"),
                   text_of(object_of(one), "subject"), ends ? date_text(*ends) : "-"});
    }
    return table.empty() ? "" : "\n" + section_heading("certificates") + table.text();
}

// Only what is not confined.
void add_unconfined(const json::object& status, Table& table) {
    const auto* const value = find(status, "confinement");
    if (value == nullptr || !value->is_object()) return;
    for (const std::string_view key : {"system_calls", "files"}) {
        const std::string text = text_of(value->get_object(), key);
        if (text != "on") table.row({heading_text(key), styled(Style::bad, text)});
    }
}

// What has no section: the service addresses, memory and so on.
std::string remaining(const json::object& status) {
    constexpr std::array<std::string_view, 16> kShown{
        "version",  "uptime_s", "config",      "ports", "sets",      "workers",
        "problems", "cache",    "routers",     "mdns",  "upstreams", "certificates",
        "lists",    "opnsense", "confinement", "log"};
    Table table;
    for (const auto& [name, value] : status) {
        const std::string_view key(name);
        if (std::ranges::find(kShown, key) == kShown.end()) {
            const std::string text = cell_text(key, &value);
            // The one value that says whether the rest is worth reading.
            const Style style = key != "ready"  ? Style::plain
                                : text == "yes" ? Style::good
                                                : Style::bad;
            table.row({heading_text(key), styled(style, text)});
        }
    }
    add_unconfined(status, table);
    return table.text();
}

}  // namespace

std::string opnsense_text(const json::value& value) {
    const std::string text = section(object_of(value), "opnsense", kOpnsense);
    return text.empty() ? text : text.substr(1);  // without the empty line before it
}

std::string status_text(const json::value& value) {
    const json::object& status = object_of(value);
    const std::string head = "steerdnsd " + text_of(status, "version") + ", up " +
                             text_of(status, "uptime_s") + ", configuration " +
                             text_of(status, "config");
    return section_heading(head) + remaining(status) + problem_section(status) +
           section(status, "ports", kPorts) + section(status, "workers", kWorkers) +
           cache_section(status) + lists_section(status) +
           section(status, "routers", kRouters, kRouterDetails) + section(status, "sets", kSets) +
           section(status, "opnsense", kOpnsense) + section(status, "mdns", kMdns) +
           section(status, "upstreams", kUpstreams) + certificate_section(status);
}

}  // namespace steerctl
