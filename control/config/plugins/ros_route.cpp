// ros_route: writes a route to each address of an answer into a routing table of RouterOS routers.
#include <array>
#include <ostream>

#include "control/config/plugins/router_rows.h"
#include "control/config/plugins/share_rows.h"

namespace steer::config {
namespace {

struct RouteArgs : RouterRowsArgs {
    std::string routing_table, gateway4, gateway6;
    std::uint32_t distance = 100;
};

constexpr RouterRowKind kRouteKind{.menu = "/route",
                                   .group = "routing table",
                                   .shared_group = "table",
                                   .effect = "add routes",
                                   .differing = "gateways or distances",
                                   .setup = RouterRowKind::Setup::routing_table};

constexpr std::array<Row<RouteArgs>, 6> kRouteRows{{
    {"routing_table", &RouteArgs::routing_table, "required", "",
     "routing table of the routes; it must exist on the router\nGive it to these routes alone, "
     "without a default route."},
    {"gateway4", &RouteArgs::gateway4, "none", "",
     "gateway of the IPv4 routes; it or `gateway6` is required\nAn address, an interface, or "
     "`ADDRESS@TABLE` or `ADDRESS%INTERFACE` as RouterOS writes them."},
    {"gateway6", &RouteArgs::gateway6, "none", "", "gateway of the IPv6 routes"},
    {"distance", &RouteArgs::distance, "100", "1..255", "distance of the routes"},
    {"conntrack_guard", &RouteArgs::conntrack_guard, "false", "",
     "keep a route whose lease has ended while the router tracks a connection to it\nConnection "
     "tracking is read again every 30 s. If it cannot be read, the route stays."},
    {"comment_prefix", &RouteArgs::comment_prefix, "oxi", "",
     "prefix of the comment of every row that steerdnsd writes"},
}};
constexpr std::array<Row<RouteArgs>, 1> kRouteLifeRows{{
    {"fixed_ttl", &RouteArgs::fixed_ttl, "none", "0s..245d",
     "fixed lifetime of all routes; 0: routes stay until `cleanup_on_shutdown` or a person removes "
     "them\nIt must be longer than `extra_time`, or 0."},
}};
constexpr std::array<Row<RouteArgs>, 2> kRouteBoundRows{{
    {"missing_family", choice<RouteArgs, &RouteArgs::missing_family>(), "answer", "answer|nodata",
     "answer for a family without a gateway\nThe family is IPv6 without `gateway6`, or IPv4 "
     "without `gateway4`. With `nodata`, HTTPS and SVCB records also lose the hints of that "
     "family."},
    {"max_rows", &RouteArgs::max_rows, "10000", "1..1000000",
     "maximum routes of this plugin on one router\nWith `serves`, each group of clients has its "
     "own count."},
}};
constexpr std::array<Row<RouteArgs>, 1> kRouteCleanupRows{{
    {"cleanup_on_shutdown", &RouteArgs::cleanup_on_shutdown, "false", "",
     "remove the routes of this tag at shutdown\nThey are removed at once, also with "
     "`conntrack_guard`."},
}};
constexpr auto kRosRouteRows =
    in_order(router_access_rows<RouteArgs>("none"), router_name_rows<RouteArgs>(), kRouteRows,
             row_life_rows<RouteArgs>(), kRouteLifeRows, row_persistence_rows<RouteArgs>(),
             row_wait_rows<RouteArgs>(), kRouteBoundRows, row_answer_rows<RouteArgs>(),
             share_rows<RouteArgs>(), row_manual_rows<RouteArgs>(), kRouteCleanupRows,
             shared_address_rows<RouteArgs>());

void check_routes(Reading& in, const Node& map, const Plugin& plugin, RouterRowsArgs& args) {
    std::erase_if(args.persistent, [&](const PersistentRow& row) {
        const bool is_v4 = row.prefix.address.is_v4() && row.prefix.length >= 96;
        if (row.prefix.length > (is_v4 ? 96 : 0)) return false;
        in.report().error(row.line,
                          "the persistent prefix " + row.prefix.to_string() + " of " +
                              owner_of(plugin) +
                              " is a default route, which would take all traffic: remove it");
        return true;
    });
    const Node* const table = map.find("routing_table");
    if (table != nullptr && table->is_text() && table->text == "main") {
        in.report().warn(table->line,
                         "'routing_table' of " + owner_of(plugin) +
                             " is main: its routes apply to all traffic of the router; add a "
                             "routing table of their own, and a routing rule");
    }
}

constexpr std::array<std::string_view, 3> kRouteTexts{"routing_table", "gateway4", "gateway6"};
constexpr RouterRowsText kRouteText{.what = "gateway",
                                    .key4 = "gateway4",
                                    .key6 = "gateway6",
                                    .texts = kRouteTexts,
                                    .check = check_routes};

void read_ros_route(Reading& in, const Node* node, Plugin& plugin) {
    RouteArgs args;
    args.kind = &kRouteKind;
    args.comment_prefix = "oxi";
    args.max_rows = 10'000;
    Node empty;
    const Node& map = args_or_empty(node, plugin, empty);
    const bool is_map = read_rows(in, map, kRosRouteRows, owner_of(plugin), args);
    const std::string distance = std::to_string(args.distance);
    const auto take = [&](bool v6, const std::string& gateway) {
        if (gateway.empty()) return;
        args.groups[v6 ? 1 : 0] = args.routing_table;
        args.values[v6 ? 1 : 0] = {gateway, distance};
    };
    take(false, args.gateway4);
    take(true, args.gateway6);
    if (is_map) check_router_rows(in, map, plugin, kRouteText, args);
    plugin.args = static_cast<RouterRows&&>(args);
}

constexpr std::string_view kRoutes =
    R"(**Lifetimes** are those of a [ros_address_list](#ros_address_list). A route has no timeout on the
router, so steerdnsd removes it: within a minute after its lifetime, and with `conntrack_guard`
after its last connection. While steerdnsd is stopped, routes stay. After a start, routes of the
same tag stay for the longest lifetime, and then go unless an answer needs them.

**Comments** are those of a [ros_address_list](#ros_address_list), by default with the prefix of
OxiDNS. Other routes are never changed, default routes neither.

**Flash**: the router saves each added or removed route in its flash. A renewed lifetime writes
nothing. [Routes instead of lists](../guides/routers.md#routes-instead-of-lists) says when to use
which, and what the router needs.
)";

void write_routes(std::ostream& out) {
    write_persistent(out);
    out << kRoutes << '\n';
}

}  // namespace

const PluginType kRosRouteType{
    "ros_route",
    Role::executor,
    "Writes a route to each address of an answer into a routing table of a RouterOS 7 router. "
    "Addresses are those of A and AAAA records, and the hints of HTTPS and SVCB. It wraps the rest "
    "of its sequence. It needs a `tag`, which becomes part of the comments of its routes.",
    "",
    "",
    [] { return row_texts(kRosRouteRows); },
    read_ros_route,
    nullptr,
    {.sink = Sink::router, .needs_tag = true, .reference = write_routes}};

}  // namespace steer::config
