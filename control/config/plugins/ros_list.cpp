// ros_list: address lists of RouterOS routers as a set of addresses, followed while serving (control/sources/router_lists).
#include <algorithm>

#include "control/config/plugin_type.h"
#include "control/config/sections/router_access.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct RosListArgs : RosList {
    std::vector<Text> router_names;
};

void read_ros_list_router(Reading& in, const Node& node, const Place& place, RosListArgs& out) {
    std::string name;
    if (read_value(in, node, place, {}, name)) out.router_names.push_back({name, place.line});
}
void read_ros_list_routers(Reading& in, const Node& node, const Place& place, RosListArgs& out) {
    for (Text& name : read_texts(in, node, place))
        out.router_names.push_back(std::move(name));
}

constexpr std::array<Row<RosListArgs>, 4> kRosListRows{{
    {"router", Own<RosListArgs>{"name", read_ros_list_router}, "none", "",
     "a router in `routers` that has the list\nIts user needs the policies api and read."},
    {"routers", Own<RosListArgs>{"list of names", read_ros_list_routers}, "none", "",
     "several such routers; the set has the addresses of all"},
    {"list", &RosListArgs::list, "required", "",
     "name of the list in `/ip/firewall/address-list` and `/ipv6/firewall/address-list`"},
    {"max_entries", &RosListArgs::max_entries, "65536", "1..1000000",
     "maximum rows that are taken from a router; others are left out with a warning"},
}};

void read_ros_list(Reading& in, const Node* node, Plugin& plugin) {
    RosListArgs args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kRosListRows, owner, args);
    const Node* const list = map.find("list");
    const bool has_control =
        std::ranges::any_of(args.list, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (list != nullptr && has_control)
        in.report().error(list->line, "'list' of " + owner + " is " + matchers::quoted(args.list) +
                                          ": a list's name has no control characters; remove them");
    if (map.find("router") == nullptr && map.find("routers") == nullptr)
        in.report().error(plugin.line, owner +
                                           " has no 'router': write the name of one of 'routers', "
                                           "whose list is followed");
    for (const Text& name : args.router_names) {
        const auto index = find_router(in, name.value, {"router", owner, name.line});
        if (index && std::ranges::find(args.routers, *index) == args.routers.end())
            args.routers.push_back(*index);
    }
    IpSet set;
    set.live = static_cast<RosList&&>(args);
    plugin.args = std::move(set);
}

}  // namespace

const PluginType kRosListType{
    "ros_list",
    Role::provider,
    "A set of the IP addresses that an address list of a RouterOS router has, in both families. "
    "Changes on the router apply within a second, without a reload. Disabled rows do not count. "
    "A row with a name counts by the rows that the router makes of it.\n\nWhile the router is "
    "unreachable, the last known addresses stay; those with a timeout until it ends. `steerctl "
    "routers lists` shows them. A cached answer keeps the lists that `resp_ip` chose with the "
    "addresses of that time.",
    "",
    "",
    [] { return row_texts(kRosListRows); },
    read_ros_list,
    nullptr};

}  // namespace steer::config
