#include <array>
#include <boost/json/array.hpp>
#include <string_view>
#include <vector>

#include "cells.h"
#include "report.h"
#include "screen.h"
#include "table.h"

namespace steerctl {
namespace json = boost::json;
namespace {

const json::array* rows_of_list(const json::value& lists, std::string_view key) {
    const auto* const found = find(object_of(lists), key);
    const auto* const all = found != nullptr ? found->if_array() : nullptr;
    return all == nullptr || all->empty() ? nullptr : all;
}

template <std::size_t N>
void add_row(Table& table, const json::object& row,
             const std::array<std::string_view, N>& columns) {
    std::vector<std::string> cells;
    cells.reserve(N);
    for (const auto column : columns)
        cells.push_back(state_cell(row, column));
    table.row(std::move(cells));
}

// What plugins read, whether by path or by URL.
std::string rules_table(const json::array& lists) {
    constexpr std::array<std::string_view, 5> kColumns{"plugin", "rules", "bad_lines", "left_out",
                                                       "list"};
    Table table;
    table.headings({"plugin", "rules", "invalid lines", "unsupported", "list"});
    for (const auto& row : lists)
        add_row(table, object_of(row), kColumns);
    return table.text();
}

}  // namespace

std::string lists_text(const json::value& lists) {
    constexpr std::array<std::string_view, 7> kColumns{
        "url", "outcome", "rules", "bytes", "fetched_ago_s", "checked_ago_s", "next_s"};
    const auto* const read = rows_of_list(lists, "sets");
    std::string out = read != nullptr ? rules_table(*read) + "\n" : std::string();
    const auto* const fetched = rows_of_list(lists, "lists");
    if (fetched == nullptr) return out + "no list is fetched from a URL\n";
    Table table;
    table.headings({"list", "last fetch", "rules", "bytes", "fetched", "checked", "next check"});
    std::string errors;
    for (const auto& row : *fetched) {
        const json::object& list = object_of(row);
        add_row(table, list, kColumns);
        const std::string error = cell_text("", find(list, "trouble"));
        if (error != "-")
            errors += styled(Style::bad, cell_text("", find(list, "url"))) + ": " + error + "\n";
    }
    return out + table.text() + errors;
}

}  // namespace steerctl
