#include <algorithm>
#include <boost/json/array.hpp>
#include <cstdint>
#include <vector>

#include "cells.h"
#include "report.h"
#include "table.h"

namespace steerctl {
namespace json = boost::json;
namespace {

// One holder of counters: a worker, a thread, a router.
struct Holder {
    std::string heading;
    const json::object* counts;
};
using Holders = std::vector<Holder>;

// A name says who it is and is not counted.
bool is_count(std::string_view key) {
    return key != "name";
}

std::uint64_t count_of(const Holder& holder, std::string_view name) {
    const auto* const value = find(*holder.counts, name);
    json::error_code not_a_count;
    const auto count = value != nullptr ? value->to_number<std::uint64_t>(not_a_count) : 0;
    return not_a_count ? 0 : count;
}

// Every name that a holder has, once, in order.
std::vector<std::string> names_of(const Holders& holders) {
    std::vector<std::string> names;
    for (const auto& [_, counts] : holders) {
        for (const auto& [key, value] : *counts) {
            const std::string name(key);
            const bool seen = std::ranges::find(names, name) != names.end();
            if (!seen && is_count(name) && value.is_number()) names.push_back(name);
        }
    }
    return names;
}

std::vector<std::string> headings_of(const Holders& holders) {
    std::vector<std::string> headings{""};
    for (const Holder& holder : holders)
        headings.push_back(holder.heading);
    if (holders.size() > 1) headings.emplace_back("sum");
    return headings;
}

// A table of one row a counter and one column a holder, with their sum if there are several. Empty
// if nothing is to be shown.
std::string table_text(std::string_view title, const Holders& holders, bool all) {
    Table table;
    bool any = false;
    for (const auto& name : names_of(holders)) {
        std::vector<std::string> cells{printable(name)};
        std::uint64_t sum = 0;
        for (const Holder& holder : holders) {
            const std::uint64_t count = count_of(holder, name);
            sum += count;
            cells.push_back(std::to_string(count));
        }
        if (holders.size() > 1) cells.push_back(std::to_string(sum));
        if (sum == 0 && !all) continue;
        any = true;
        table.row(std::move(cells));
    }
    if (!any) return {};
    const bool headed = holders.size() > 1 || (!holders.empty() && !holders[0].heading.empty());
    if (headed) table.headings(headings_of(holders));
    return "\n" + section_heading(heading_text(title)) + table.text();
}

// Those of a list's objects: by their name, or by their place in the list if there are several.
Holders holders_of(std::string_view what, const json::array& list) {
    Holders holders;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const json::object& counts = object_of(list[i]);
        std::string heading = text_of(counts, "name");
        if (heading == "-")
            heading = list.size() > 1 ? std::string(what) + " " + std::to_string(i) : "";
        holders.push_back({std::move(heading), &counts});
    }
    return holders;
}

// Workers have groups of counters: a table each.
std::string workers_text(const json::array& workers, bool all) {
    std::vector<std::string> groups;
    for (const auto& worker : workers) {
        for (const auto& [key, counts] : object_of(worker)) {
            const std::string group(key);
            const bool seen = std::ranges::find(groups, group) != groups.end();
            if (!seen && counts.is_object()) groups.push_back(group);
        }
    }
    std::string out;
    for (const auto& group : groups) {
        Holders holders = holders_of("worker", workers);
        for (std::size_t i = 0; i < holders.size(); ++i) {
            const auto* const counts = find(object_of(workers[i]), group);
            holders[i].counts = &object_of(counts != nullptr ? *counts : workers[i]);
        }
        out += table_text(group, holders, all);
    }
    return out;
}

// "routers" holds a router each.
std::string_view one_of(std::string_view many) {
    if (many.ends_with('s')) many.remove_suffix(1);
    return many;
}

}  // namespace

std::string counters_text(const json::value& value, bool all) {
    std::string out;
    for (const auto& [key, part] : object_of(value)) {
        const std::string_view name(key);
        if (const auto* const list = part.if_array()) {
            out += name == "workers" ? workers_text(*list, all)
                                     : table_text(name, holders_of(one_of(name), *list), all);
        } else {
            out += table_text(name, {{"", &object_of(part)}}, all);
        }
    }
    if (out.empty()) return "nothing was counted yet\n";
    return out.substr(1);  // no blank line before the first table
}

}  // namespace steerctl
