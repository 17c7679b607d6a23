#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <set>

#include "cells.h"
#include "report.h"
#include "table.h"

namespace steerctl {

namespace json = boost::json;

namespace {

// Each effect once: several rules of a plugin have the same.
void add_effects(const json::object& rule, std::set<std::string>& known, Table& table) {
    for (const json::value& one : array_of(rule, "effects")) {
        const json::object& e = object_of(one);
        const std::string place = text_of(e, "file") + ":" + text_of(e, "line");
        const std::string does = text_of(e, "does");
        if (!known.insert(place + " " + does).second) continue;
        const std::string when = std::string(is_true(e, "unless") ? "if not in" : "") +
                                 (is_true(e, "with_others") ? " if its other conditions hold" : "");
        table.row({does + (when.empty() ? "" : ", " + when.substr(when.front() == ' ' ? 1 : 0)),
                   "in " + text_of(e, "sequence"), place});
    }
}

std::string file_text(const json::object& file) {
    const std::string error = find(file, "error") != nullptr ? text_of(file, "error") : "";
    const bool is_broken = !error.empty() && error != "-";
    const std::string name = text_of(file, "name");
    if (is_true(file, "differs"))
        return "shown is the configuration in force: " + name + " on the disk differs" +
               (is_broken ? " and cannot be loaded: " + error : "; load it with steerctl reload") +
               "\n";
    return is_broken ? "the present files cannot be loaded: " + error + "\n" : "";
}

}  // namespace

std::string why_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    std::string out;
    if (const auto* const file = find(all, "file")) out += file_text(object_of(*file));
    const auto* const sets = find(all, "sets");
    const bool in_any =
        sets != nullptr && sets->if_array() != nullptr && !sets->get_array().empty();
    out += in_any ? "sets: " + cell_text(*sets) + "\n" : "sets: none\n";
    Table table, effects;
    std::set<std::string> known;
    for (const json::value& one : array_of(all, "rules")) {
        const json::object& r = object_of(one);
        // A zone by transfer has no lines.
        const std::string line = text_of(r, "line");
        table.row({text_of(r, "plugin"), text_of(r, "says"), text_of(r, "rule"),
                   text_of(r, "file") + (line == "0" ? "" : ":" + line)});
        add_effects(r, known, effects);
    }
    out += table.empty() ? "no rule matches\n" : table.text();
    if (!effects.empty()) out += "effects:\n" + effects.text();
    return out + rules_of_people_text(answer);
}

}  // namespace steerctl
