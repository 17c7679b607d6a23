#include <array>
#include <boost/json/array.hpp>
#include <string_view>
#include <vector>

#include "cells.h"
#include "report.h"
#include "table.h"

namespace steerctl {
namespace json = boost::json;

std::string lists_text(const json::value& lists) {
    constexpr std::array<std::string_view, 7> kColumns{
        "url", "outcome", "rules", "bytes", "fetched_ago_s", "checked_ago_s", "next_s"};
    const auto* const found = find(object_of(lists), "lists");
    const auto* const all = found != nullptr ? found->if_array() : nullptr;
    if (all == nullptr || all->empty()) return "no list of the configuration is fetched\n";
    Table table;
    table.row({"list", "last", "rules", "bytes", "fetched", "checked", "next"});
    std::string troubles;
    for (const auto& row : *all) {
        const json::object& list = object_of(row);
        std::vector<std::string> cells;
        cells.reserve(kColumns.size());
        for (const auto column : kColumns)
            cells.push_back(text_of(list, column));
        table.row(std::move(cells));
        const std::string trouble = cell_text("", find(list, "trouble"));
        if (trouble != "-") troubles += cell_text("", find(list, "url")) + ": " + trouble + "\n";
    }
    return table.text() + troubles;
}

}  // namespace steerctl
