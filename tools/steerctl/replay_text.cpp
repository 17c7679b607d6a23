#include <array>
#include <boost/json/array.hpp>
#include <string_view>
#include <utility>

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

// Keys of `left_out`, and what they count.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kLeftOut{{
    {"rare", "queries beyond the limit of a request, the rarest"},
    {"servers", "queries of addresses that get queries themselves"},
    {"tcp", "TCP segments of port 53"},
    {"fragments", "fragments of UDP"},
    {"cut", "frames that are cut off"},
    {"malformed", "malformed messages"},
}};

const json::object& left_out_of(const json::object& capture) {
    static const json::value kNothing;
    const auto* const found = find(capture, "left_out");
    return object_of(found == nullptr ? kNothing : *found);
}

std::string capture_text(const json::object& capture) {
    std::string out = text_of(capture, "file") + ": " + text_of(capture, "frames") + " frames";
    if (number_of(find(capture, "frames")).value_or(0) > 0)
        out += " from " + date_text(number_of(find(capture, "from")).value_or(0)) + " to " +
               date_text(number_of(find(capture, "to")).value_or(0));
    out += ", " + text_of(capture, "answered") + " of " + text_of(capture, "queries") +
           " queries with an answer\n";
    if (const std::string why = text_of(capture, "trouble"); why != "-" && !why.empty())
        out += styled(Style::warning, "the file was not read to its end: " + why) + "\n";
    Table table;
    for (const auto& [key, what] : kLeftOut) {
        const json::object& counts = left_out_of(capture);
        if (number_of(find(counts, key)).value_or(0) > 0)
            table.row({text_of(counts, key), std::string(what)});
    }
    if (table.empty()) return out + "\n";
    table.headings({"number", "left out"});
    return out + table.text() + "\n";
}

}  // namespace

std::string no_queries_text(const json::object& capture) {
    std::string out = text_of(capture, "file") + " has no query over UDP port 53 in " +
                      text_of(capture, "frames") + " frames";
    for (const auto& [key, what] : kLeftOut) {
        const json::object& counts = left_out_of(capture);
        if (number_of(find(counts, key)).value_or(0) > 0)
            out += ", left out: " + text_of(counts, key) + " " + std::string(what);
    }
    if (const std::string why = text_of(capture, "trouble"); why != "-" && !why.empty())
        out += "; it was not read to its end: " + why;
    return out;
}

std::string replay_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    const auto* const capture = find(all, "capture");
    std::string out = capture == nullptr ? "" : capture_text(object_of(*capture));
    out += text_of(all, "queries") + " queries, " + text_of(all, "distinct") + " different ones";
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
