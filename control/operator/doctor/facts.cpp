#include "control/operator/doctor/facts.h"

#include <algorithm>
#include <charconv>

#include "matchers/prefix/prefix_set.h"

namespace steer::doctor {

std::vector<std::string_view> items_of(std::string_view list) {
    std::vector<std::string_view> items;
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        if (comma > 0) items.push_back(list.substr(0, comma));
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return items;
}

std::string_view host_of(std::string_view prefix) {
    return prefix.substr(0, prefix.find('/'));
}

bool contains(std::string_view prefix, const IpAddress& address) {
    const auto parsed = matchers::Prefix::parse(prefix);
    if (!parsed || parsed->address.is_v4() != address.is_v4()) return false;
    return matchers::Prefix::masked(address, parsed->length).address == parsed->address;
}

bool has_port(std::string_view ports, unsigned port) {
    return std::ranges::any_of(items_of(ports), [port](std::string_view item) {
        unsigned first = 0, last = 0;
        const char* const end = item.data() + item.size();
        const auto [dash, error] = std::from_chars(item.data(), end, first);
        if (error != std::errc{}) return false;
        last = first;
        if (dash != end && (*dash != '-' || std::from_chars(dash + 1, end, last).ec != std::errc{}))
            return false;
        return first <= port && port <= last;
    });
}

std::string_view Row::get(std::string_view name) const {
    const auto it = values_.find(name);
    return it != values_.end() ? std::string_view(it->second) : std::string_view();
}

bool Row::is(std::string_view name) const {
    const std::string_view value = get(name);
    return value == "true" || value == "yes";
}

bool Row::lists(std::string_view name, std::string_view item) const {
    return std::ranges::count(items_of(get(name)), item) > 0;
}

const Row* Table::find(std::string_view name, std::string_view value) const {
    const auto it =
        std::ranges::find_if(rows, [&](const Row& row) { return row.get(name) == value; });
    return it != rows.end() ? &*it : nullptr;
}

const Table& RouterFacts::table(std::string_view menu) const {
    static const Table kNotAsked{{}, "it was not read"};
    const auto it = tables.find(menu);
    return it != tables.end() ? it->second : kNotAsked;
}

const Table& RouterFacts::table(routeros::Menu family, std::string_view below) const {
    return table(menu_of(family, below));
}

std::string menu_of(routeros::Menu family, std::string_view below) {
    return std::string(family == routeros::Menu::ip ? "/ip" : "/ipv6").append(below);
}

}  // namespace steer::doctor
