// What the rows of a plugin on routers are: one constant per type of plugin, in its file (control/config/plugins). The
// facts of its menu are a row of routeros/row_types.h.
#pragma once

#include <cstdint>
#include <string_view>

namespace steer::config {

struct RouterRowKind {
    // What --routeros-setup prepares for them on a router.
    enum class Setup : std::uint8_t { none, egress, routing_table };

    std::string_view menu;   // below /ip and /ipv6
    std::string_view group;  // for messages: what a row belongs to
    std::string_view
        shared_group{};       // its short name, if both families have one; empty: each has its own
    std::string_view effect;  // for `why`
    std::string_view differing{};  // what all plugins of a group must have in common
    Setup setup = Setup::none;
};

inline constexpr RouterRowKind kAddressListKind{.menu = "/firewall/address-list",
                                                .group = "list",
                                                .effect = "add to list",
                                                .setup = RouterRowKind::Setup::egress};

}  // namespace steer::config
