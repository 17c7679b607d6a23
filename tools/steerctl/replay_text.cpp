#include <boost/json/array.hpp>

#include "cells.h"
#include "report.h"
#include "screen.h"
#include "table.h"

namespace steerctl {
namespace json = boost::json;
namespace {

std::string counts(const json::object& answer, std::string_view key) {
    const auto* const found = find(answer, key);
    return found == nullptr ? "-" : text_of(object_of(*found), "queries");
}

std::string side(const json::object& row, std::string_view key) {
    const auto* const found = find(row, key);
    return found == nullptr ? "-" : text_of(object_of(*found), "text");
}

}  // namespace

std::string replay_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    std::string out =
        text_of(all, "queries") + " queries, " + text_of(all, "distinct") + " different ones";
    if (find(all, "from") != nullptr)
        out += ", from " + date_text(number_of(find(all, "from")).value_or(0)) + " to " +
               date_text(number_of(find(all, "to")).value_or(0));
    out += "\n";
    if (find(all, "complete") != nullptr && !is_true(all, "complete"))
        out += styled(Style::warning, "older queries of that time were not read") + "\n";
    out += "same: " + counts(all, "same") + ", different: " + counts(all, "different") +
           ", unknown: " + counts(all, "unknown") + "\n";
    Table facts;
    for (const json::value& one : array_of(all, "unknown_facts"))
        facts.row({text_of(object_of(one), "queries"), text_of(object_of(one), "fact")});
    if (!facts.empty()) {
        facts.headings({"queries", "what is not known"});
        out += "\n" + section_heading("unknown") + facts.text();
    }
    Table changes;
    for (const json::value& one : array_of(all, "changes")) {
        const json::object& row = object_of(one);
        changes.row({text_of(row, "queries"), text_of(row, "distinct"), text_of(row, "before"),
                     text_of(row, "after")});
    }
    if (changes.empty()) return out + "\nno known answer changes\n";
    changes.headings({"queries", "different", "before", "after"});
    out += "\n" + section_heading("changes") + changes.text();
    Table table;
    for (const json::value& one : array_of(all, "differences")) {
        const json::object& row = object_of(one);
        table.row({text_of(row, "queries"), text_of(row, "name"), text_of(row, "type"),
                   text_of(row, "client"), side(row, "before"), side(row, "after")});
    }
    if (table.empty()) return out;
    table.headings({"queries", "name", "type", "client", "before", "after"});
    out += "\n" + section_heading("differences") + table.text();
    if (number_of(find(all, "omitted")).value_or(0) > 0)
        out += "and " + text_of(all, "omitted") + " more; see --limit\n";
    return out;
}

}  // namespace steerctl
