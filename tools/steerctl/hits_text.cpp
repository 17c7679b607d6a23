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
        table.row({cell_text("queries", find(row, "queries")), cell_text(what, find(row, what))});
    }
    return table.empty() ? "" : "\n" + std::string(key) + "\n" + table.text();
}

}  // namespace

std::string hits_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    std::string out = cell_text("queries", find(all, "queries")) + " queries in " +
                      cell_text("seconds", find(all, "seconds")) + " seconds";
    const auto queries = number_of(find(all, "queries"));
    const auto samples = number_of(find(all, "samples"));
    if (queries && samples && *samples < *queries)
        out += ", estimated from " + cell_text("samples", find(all, "samples")) + " of them";
    if (number_of(find(all, "malformed")).value_or(0) > 0)
        out += ", " + cell_text("malformed", find(all, "malformed")) + " malformed";
    out += "\n" + counted(all, "names", "name") + counted(all, "clients", "client") +
           counted(all, "types", "type");
    Table table;
    for (const json::value& one : array_of(all, "rules")) {
        const json::object& r = object_of(one);
        table.row({cell_text("queries", find(r, "queries")), cell_text("plugin", find(r, "plugin")),
                   cell_text("says", find(r, "says")), cell_text("rule", find(r, "rule")),
                   cell_text("file", find(r, "file")) + ":" + cell_text("line", find(r, "line"))});
    }
    if (table.empty()) return out + "\nno rule holds for any of them\n";
    return out + "\nrules (" + cell_text("rules_that_hold", find(all, "rules_that_hold")) +
           " hold for some)\n" + table.text();
}

}  // namespace steerctl
