#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cells.h"
#include "report.h"
#include "table.h"

namespace steerctl {

namespace json = boost::json;

namespace {

// "names", "clients", "types": what is counted and how often it was asked.
std::string counted(const json::object& answer, std::string_view key, std::string_view what) {
    Table table;
    for (const json::value& one : array_of(answer, key)) {
        const json::object& row = object_of(one);
        table.row({text_of(row, "queries"), cell_text(what, find(row, what))});
    }
    return table.empty() ? "" : "\n" + std::string(key) + "\n" + table.text();
}

}  // namespace

std::string hits_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    std::string out =
        text_of(all, "queries") + " queries in " + text_of(all, "seconds") + " seconds";
    const auto queries = number_of(find(all, "queries"));
    const auto samples = number_of(find(all, "samples"));
    if (queries && samples && *samples < *queries)
        out += ", estimated from " + text_of(all, "samples") + " of them";
    if (number_of(find(all, "malformed")).value_or(0) > 0)
        out += ", " + text_of(all, "malformed") + " malformed";
    out += "\n" + counted(all, "names", "name") + counted(all, "clients", "client") +
           counted(all, "types", "type");
    Table table;
    for (const json::value& one : array_of(all, "rules")) {
        const json::object& r = object_of(one);
        table.row({text_of(r, "queries"), text_of(r, "plugin"), text_of(r, "says"),
                   text_of(r, "rule"), text_of(r, "file") + ":" + text_of(r, "line")});
    }
    if (table.empty()) return out + "\nno rule matches any of them\n";
    return out + "\nrules (" + text_of(all, "rules_that_hold") + " match at least one query)\n" +
           table.text();
}

}  // namespace steerctl
