#include <array>
#include <boost/json/array.hpp>
#include <string_view>
#include <vector>

#include "cells.h"
#include "report.h"
#include "table.h"

namespace steerctl {
namespace json = boost::json;

std::string adlists_text(const json::value& answer) {
    constexpr std::array<std::string_view, 5> kColumns{"tag", "list", "names", "matches",
                                                       "paused_s"};
    const json::array& all = array_of(object_of(answer), "adlists");
    if (all.empty()) return "the configuration has no adlist that queries come to\n";
    Table table;
    table.row({"adlist", "list", "names", "matches", "paused for"});
    for (const auto& row : all) {
        std::vector<std::string> cells;
        cells.reserve(kColumns.size());
        for (const auto column : kColumns)
            cells.push_back(text_of(object_of(row), column));
        table.row(std::move(cells));
    }
    return table.text();
}

}  // namespace steerctl
