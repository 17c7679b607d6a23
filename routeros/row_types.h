// The types of rows that hold addresses on a router: entries of address lists, and routes. What differs between them is a
// row of this table; `Router` has no code of its own for a menu.
//
// An entry has a timeout, and the router ends it. A route has none: it is saved in flash, and its end is ours.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "routeros/address.h"
#include "routeros/command_forms.h"

namespace steer::routeros {

enum class RowType : std::uint8_t { address, route };

struct RowTypeFacts {
    std::string_view menu;   // below /ip and /ipv6
    std::string_view what;   // for messages
    std::string_view group;  // for messages: what a row belongs to
    const CommandForm *print, *listen, *add, *set, *remove;
    std::string_view group_property, address_property;
    bool has_timeout;
    bool is_unique;        // a second row at a place is refused
    unsigned since_major;  // RouterOS
};

inline constexpr std::array<RowTypeFacts, 2> kRowTypes{{
    {"/firewall/address-list", "address lists", "list", &forms::print_rows, &forms::listen_rows,
     &forms::add_row, &forms::set_row, &forms::remove_rows, "list", "address", true, true, 3},
    {"/route", "routes", "routing table", &forms::print_routes, &forms::listen_routes,
     &forms::add_route, &forms::change_route, &forms::remove_routes, "routing-table", "dst-address",
     false, false, 7},
}};

constexpr const RowTypeFacts& facts_of(RowType type) {
    return kRowTypes[static_cast<std::size_t>(type)];
}

// A menu of the router that has rows: a type of one family. Ids are unique within it.
struct Table {
    Menu menu = Menu::ip;
    RowType type = RowType::address;

    [[nodiscard]] constexpr std::size_t index() const {
        return static_cast<std::size_t>(type) * 2 + (menu == Menu::ip ? 0 : 1);
    }
    [[nodiscard]] constexpr const RowTypeFacts& facts() const { return facts_of(type); }
    // "/ip/firewall/address-list"
    [[nodiscard]] std::string path() const {
        return std::string(menu == Menu::ip ? "/ip" : "/ipv6").append(facts().menu);
    }
    bool operator==(const Table&) const = default;
};
inline constexpr std::array<Table, 4> kTables{{{Menu::ip, RowType::address},
                                               {Menu::ipv6, RowType::address},
                                               {Menu::ip, RowType::route},
                                               {Menu::ipv6, RowType::route}}};

}  // namespace steer::routeros
