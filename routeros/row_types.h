// The types of rows with addresses on a router: entries of address lists, and routes. This table
// has their differences; `Router` has no special code for a menu.
//
// An entry has a timeout, and the router ends it. A route has none: it is saved in flash, and its end is ours. A new type is
// its row here, its forms (command_forms.h), and the plugin that fills it (control/config/plugins/ros_route.cpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "routeros/address.h"
#include "routeros/command_forms.h"

namespace steer::routeros {

enum class RowType : std::uint8_t { address, route };

// What a row has in addition to its place, its timeout and its comment. A list has the values (ListConfig), in this order.
struct RowProperty {
    std::string_view name{};
    bool is_text = false;     // a script has to quote it
    bool is_gateway = false;  // an address or an interface: different texts may name the same
};

struct RowTypeFacts {
    std::string_view menu;   // below /ip and /ipv6
    std::string_view what;   // for messages
    std::string_view group;  // for messages: what a row belongs to
    // The sentences about its rows.
    const CommandForm *print, *listen, *add, *set, *remove;
    std::string_view group_property, address_property;
    std::array<RowProperty, 2> properties{};  // those without a name: none
    std::string_view
        changed{};  // for messages: "another gateway or distance"; empty: no properties
    bool has_timeout = false;
    bool has_length = false;   // a host is printed with its length
    bool is_unique = false;    // a second row at a place is refused
    unsigned since_major = 3;  // RouterOS
};

inline constexpr std::array kRowTypes = std::to_array<RowTypeFacts>({
    {.menu = "/firewall/address-list",
     .what = "address lists",
     .group = "list",
     .print = &forms::print_rows,
     .listen = &forms::listen_rows,
     .add = &forms::add_row,
     .set = &forms::set_row,
     .remove = &forms::remove_rows,
     .group_property = "list",
     .address_property = "address",
     .has_timeout = true,
     .is_unique = true},
    {.menu = "/route",
     .what = "routes",
     .group = "routing table",
     .print = &forms::print_routes,
     .listen = &forms::listen_routes,
     .add = &forms::add_route,
     .set = &forms::change_route,
     .remove = &forms::remove_routes,
     .group_property = "routing-table",
     .address_property = "dst-address",
     .properties = {{{"gateway", true, true}, {"distance"}}},
     .changed = "another gateway or distance",
     .has_length = true,
     .since_major = 7},
});

constexpr const RowTypeFacts& facts_of(RowType type) {
    return kRowTypes[static_cast<std::size_t>(type)];
}

// The type of rows in this menu below /ip and /ipv6; nothing: no row of the table.
constexpr std::optional<RowType> row_type_of(std::string_view menu) {
    for (std::size_t i = 0; i < kRowTypes.size(); ++i) {
        if (kRowTypes[i].menu == menu) return static_cast<RowType>(i);
    }
    return std::nullopt;
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
inline constexpr Table kAddressList4{Menu::ip, RowType::address};
inline constexpr Table kAddressList6{Menu::ipv6, RowType::address};
inline constexpr Table kRoutes4{Menu::ip, RowType::route};
inline constexpr Table kRoutes6{Menu::ipv6, RowType::route};
// By Table::index().
inline constexpr std::array kTables{kAddressList4, kAddressList6, kRoutes4, kRoutes6};

}  // namespace steer::routeros
