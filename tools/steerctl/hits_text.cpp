#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>

#include "cells.h"
#include "report.h"
#include "table.h"

namespace steerctl {

namespace json = boost::json;

namespace {

double queries_of(const json::value& row) {
    return number_of(find(object_of(row), "queries")).value_or(0);
}

// "names", "clients", "types": what is counted, how often it was asked, and its share of all queries.
std::string counted(const json::object& answer, std::string_view key, std::string_view what) {
    const double all = number_of(find(answer, "queries")).value_or(0);
    Table table;
    for (const json::value& one : array_of(answer, key)) {
        const json::object& row = object_of(one);
        table.row({text_of(row, "queries"), share_text(queries_of(one), all),
                   cell_text(what, find(row, what))});
    }
    if (table.empty()) return {};
    table.headings({"queries", "share", std::string(what)});
    return "\n" + section_heading(key) + table.text();
}

constexpr unsigned kLabelsOfDomain = 2;  // where a daemon of an older version names none

// The last `labels` labels of a name as presentation text, in which a label may have an escaped dot.
std::string_view suffix_of(std::string_view name, unsigned labels) {
    if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
    for (std::size_t at = name.size(); at > 0; --at) {
        if (name[at - 1] != '.') continue;
        std::size_t escapes = 0;
        while (at - 1 > escapes && name[at - 2 - escapes] == '\\')
            ++escapes;
        if (escapes % 2 == 0 && --labels == 0) return name.substr(at);
    }
    return name;
}

}  // namespace

json::value group_hits(json::value answer, unsigned labels, std::size_t top) {
    if (!answer.is_object()) return answer;
    struct Group {
        double queries = 0;
        std::uint64_t names = 0;
    };
    std::map<std::string, Group, std::less<>> groups;
    for (const json::value& one : array_of(answer.get_object(), "names")) {
        const auto* const name = find(object_of(one), "name");
        if (name == nullptr || !name->is_string()) continue;
        const auto* const domain = find(object_of(one), "domain");
        const bool by_domain = labels == 0 && domain != nullptr && domain->is_string();
        const json::string& text = by_domain ? domain->get_string() : name->get_string();
        const std::string_view whole{text.data(), text.size()};
        Group& group = groups[std::string(
            by_domain ? whole : suffix_of(whole, labels == 0 ? kLabelsOfDomain : labels))];
        group.queries += queries_of(one);
        ++group.names;
    }
    std::vector<std::pair<std::string, Group>> sorted(groups.begin(), groups.end());
    std::ranges::stable_sort(
        sorted, [](const auto& a, const auto& b) { return a.second.queries > b.second.queries; });
    json::array suffixes;
    for (const auto& [suffix, group] : sorted) {
        if (suffixes.size() == top) break;
        suffixes.push_back(json::object{{"suffix", suffix},
                                        {"queries", static_cast<std::uint64_t>(group.queries)},
                                        {"names", group.names}});
    }
    json::object& all = answer.get_object();
    for (const char* const key : {"names", "clients", "types", "rules"}) {
        auto* const rows = all.if_contains(key);
        if (rows != nullptr && rows->is_array() && rows->get_array().size() > top)
            rows->get_array().resize(top);
    }
    all["suffixes"] = std::move(suffixes);
    return answer;
}

std::string hits_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    std::string out = text_of(all, "queries") + " queries";
    if (find(all, "client") != nullptr) out += " of " + text_of(all, "client");
    if (find(all, "name") != nullptr) out += " for " + text_of(all, "name");
    const std::string seconds = text_of(all, "seconds");
    out += " in " + seconds + (seconds == "1" ? " second" : " seconds");
    const auto queries = number_of(find(all, "queries"));
    const auto samples = number_of(find(all, "samples"));
    if (queries && samples && *samples < *queries)
        out += ", estimated from " + text_of(all, "samples") + " of them";
    if (number_of(find(all, "malformed")).value_or(0) > 0)
        out += ", " + text_of(all, "malformed") + " malformed";
    out += "\n";
    Table suffixes;
    for (const json::value& one : array_of(all, "suffixes")) {
        const json::object& row = object_of(one);
        suffixes.row({text_of(row, "queries"), share_text(queries_of(one), queries.value_or(0)),
                      text_of(row, "names"), text_of(row, "suffix")});
    }
    if (!suffixes.empty()) {
        suffixes.headings({"queries", "share", "names", "suffix"});
        out += "\n" + section_heading("suffixes") + suffixes.text();
    }
    out += counted(all, "names", "name") + counted(all, "clients", "client") +
           counted(all, "types", "type");
    if (find(all, "rules") == nullptr) return out;
    Table table;
    for (const json::value& one : array_of(all, "rules")) {
        const json::object& r = object_of(one);
        table.row({text_of(r, "queries"), share_text(queries_of(one), queries.value_or(0)),
                   text_of(r, "plugin"), text_of(r, "says"), text_of(r, "rule"),
                   text_of(r, "file") + ":" + text_of(r, "line")});
    }
    if (table.empty()) return out + "\nno rule matches any of them\n";
    table.headings({"queries", "share", "plugin", "effect", "rule", "at"});
    return out + "\n" +
           section_heading("rules (" + text_of(all, "rules_that_hold") +
                           " match at least one query)") +
           table.text();
}

}  // namespace steerctl
