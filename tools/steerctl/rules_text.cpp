#include <array>
#include <boost/json/array.hpp>
#include <string_view>
#include <vector>

#include "cells.h"
#include "report.h"
#include "table.h"

namespace steerctl {
namespace json = boost::json;
std::string rule_sets_text(const json::value& sets) {
    constexpr std::array<std::string_view, 4> kColumns{"tag", "rules", "waiting", "file"};
    const json::array& all = array_of(object_of(sets), "sets");
    if (all.empty()) return "the configuration has no dynamic_domain_set\n";
    Table table;
    table.headings({"set", "rules", "pending changes", "file"});
    std::string errors;
    for (const json::value& one : all) {
        const json::object& set = object_of(one);
        std::vector<std::string> cells;
        cells.reserve(kColumns.size());
        for (const auto column : kColumns)
            cells.push_back(text_of(set, column));
        table.row(std::move(cells));
        const std::string error = cell_text("", find(set, "trouble"));
        if (!error.empty() && error != "-") errors += error + "\n";
    }
    return table.text() + errors;
}

// In the file's form, so that they can be added to another set.
std::string rules_text(const json::value& rules) {
    std::string out;
    for (const json::value& one : array_of(object_of(rules), "rules"))
        out += text_of(object_of(one), "rule") + "\n";
    return out;
}

std::string rules_changed_text(const json::value& done) {
    const json::object& all = object_of(done);
    const auto text = [&all](std::string_view key) { return text_of(all, key); };
    return text("added") + " added, " + text("removed") + " removed, " + text("unchanged") +
           " unchanged; active in configuration " + text("generation") + "\n";
}

}  // namespace steerctl
