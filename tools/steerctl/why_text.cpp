#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cells.h"
#include "report.h"
#include "table.h"

namespace steerctl {

namespace json = boost::json;

std::string why_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    std::string out;
    const auto* const sets = find(all, "sets");
    const bool in_any =
        sets != nullptr && sets->if_array() != nullptr && !sets->get_array().empty();
    out += in_any ? "sets: " + cell_text(*sets) + "\n" : "sets: none\n";
    const auto* const rules = find(all, "rules");
    const auto* const list = rules == nullptr ? nullptr : rules->if_array();
    Table table;
    if (list != nullptr) {
        for (const json::value& one : *list) {
            const json::object& r = object_of(one);
            table.row({text_of(r, "plugin"), text_of(r, "says"), text_of(r, "rule"),
                       text_of(r, "file") + ":" + text_of(r, "line")});
        }
    }
    return out + (table.empty() ? "no rule matches\n" : table.text());
}

}  // namespace steerctl
