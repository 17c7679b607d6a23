#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <string>
#include <string_view>

#include "cells.h"
#include "report.h"
#include "table.h"

namespace steerctl {
namespace json = boost::json;
namespace {

std::string word(const json::object& words, std::string_view property) {
    const json::value* const value = find(words, property);
    return value == nullptr ? "" : cell_text(*value);
}

// What stands behind the type in a zone file.
std::string data_of(const json::object& words) {
    constexpr std::array<std::string_view, 10> kData{
        "address", "cname",        "forward-to", "mx-preference", "mx-exchange",
        "ns",      "srv-priority", "srv-weight", "srv-port",      "srv-target"};
    std::string out;
    for (const auto property : kData) {
        const std::string value = word(words, property);
        if (!value.empty()) out += (out.empty() ? "" : " ") + value;
    }
    if (const std::string text = word(words, "text"); !text.empty()) out = "\"" + text + "\"";
    return out;
}

std::string owner_of(const json::object& words) {
    if (const std::string regexp = word(words, "regexp"); !regexp.empty())
        return "regexp " + regexp;
    return (word(words, "match-subdomain") == "yes" ? "*." : "") + word(words, "name");
}

}  // namespace

std::string static_records_text(const json::value& answer) {
    const json::array& all = array_of(object_of(answer), "records");
    if (all.empty()) return "no records\n";
    Table table;
    table.headings(
        {"plugin", "#", "flags", "name", "type", "data", "ttl", "list", "comment", "at"});
    for (const json::value& one : all) {
        const json::object& record = object_of(one);
        const json::value* const found = find(record, "words");
        if (found == nullptr) continue;
        const json::object& words = object_of(*found);
        const std::string flags = std::string(is_true(record, "disabled") ? "X" : "") +
                                  (is_true(record, "runtime") ? "R" : "");
        const std::string ttl = word(words, "ttl");
        table.row({text_of(record, "plugin"), text_of(record, "number"), flags, owner_of(words),
                   word(words, "type"), data_of(words), ttl.empty() ? "1d" : ttl,
                   word(words, "address-list"), word(words, "comment"), text_of(record, "place")});
    }
    return "  flags: X - disabled, R - added by steerctl\n" + table.text();
}

std::string static_changed_text(const json::value& done) {
    const json::object& all = object_of(done);
    std::string out;
    for (const std::string_view what : {"added", "removed"}) {
        for (const json::value& record : array_of(all, what))
            out += std::string(what) + ": " + cell_text(record) + "\n";
    }
    out += "active in configuration " + text_of(all, "generation");
    if (find(all, "flushed") != nullptr)
        out += "; " + text_of(all, "flushed") + " cached answers removed";
    out += "\n";
    if (find(all, "trouble") != nullptr) out += text_of(all, "trouble") + "\n";
    return out;
}

}  // namespace steerctl
