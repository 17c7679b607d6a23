// dhcp_leases: names of hosts with a DHCP lease on a router.
#include <algorithm>

#include "control/config/lists/rules.h"
#include "control/config/plugin_type.h"
#include "control/config/sections/router_access.h"
#include "matchers/name_text.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct DhcpLeasesArgs : DhcpLeases {
    std::vector<Text> router_names;
};

void read_router_name(Reading& in, const Node& node, const Place& place, DhcpLeasesArgs& out) {
    std::string name;
    if (read_value(in, node, place, {}, name)) out.router_names.push_back({name, place.line});
}
void read_dhcp_leases_router_names(Reading& in, const Node& node, const Place& place,
                                   DhcpLeasesArgs& out) {
    for (Text& name : read_texts(in, node, place))
        out.router_names.push_back(std::move(name));
}

void read_domain(Reading& in, const Node& node, const Place& place, DhcpLeasesArgs& out) {
    std::string text;
    if (!read_value(in, node, place, {}, text)) return;
    const auto name = matchers::parse_name(text, {.alone = true});
    if (!name) {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(text) +
                                          ": expected a domain such as lan or home.arpa; " +
                                          name.error().text);
        return;
    }
    out.domain = *name;
    if (out.domain == "local" || out.domain.ends_with(".local")) {
        in.report().warn(place.line,
                         place.name() + " is '" + out.domain +
                             "', whose names many hosts ask by mDNS alone (RFC 6762): write "
                             "another, such as lan or home.arpa");
    }
}

void read_servers(Reading& in, const Node& node, const Place& place, DhcpLeasesArgs& out) {
    for (const Text& name : read_texts(in, node, place))
        out.servers.push_back(name.value);
}

constexpr std::array<Row<DhcpLeasesArgs>, 6> kDhcpLeasesRows{{
    {"router", Own<DhcpLeasesArgs>{"name", read_router_name}, "none", "",
     "a router in `routers` whose DHCP servers are read\nIts user needs the policies api and "
     "read."},
    {"routers", Own<DhcpLeasesArgs>{"list of names", read_dhcp_leases_router_names}, "none", "",
     "several such routers"},
    {"domain", Own<DhcpLeasesArgs>{"domain", read_domain}, "required", "",
     "domain of the host names: with `lan`, the host `laptop` is laptop.lan"},
    {"servers", Own<DhcpLeasesArgs>{"list of names", read_servers}, "(all)", "",
     "DHCP servers (IPv4 or IPv6) whose leases are used; default: all"},
    {"ttl", &DhcpLeasesArgs::ttl_s, "60", "0..86400", "TTL of the answers, in seconds"},
    {"ptr", &DhcpLeasesArgs::ptr, "true", "",
     "also answer PTR queries for the addresses\nNot for an IPv4 address outside of the router's "
     "DHCP networks (`/ip dhcp-server network`), if it has any."},
}};

void read_dhcp_leases(Reading& in, const Node* node, Plugin& plugin) {
    DhcpLeasesArgs args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kDhcpLeasesRows, owner, args);
    if (map.find("router") == nullptr && map.find("routers") == nullptr) {
        in.report().error(plugin.line, owner +
                                           " has no 'router': write the name of one of 'routers', "
                                           "whose leases are read");
    }
    for (const Text& name : args.router_names) {
        const auto index = find_router(in, name.value, {"router", owner, name.line});
        if (!index) continue;
        if (std::ranges::find(args.routers, *index) == args.routers.end())
            args.routers.push_back(*index);
    }
    plugin.args = static_cast<DhcpLeases&&>(args);
}

}  // namespace

const PluginType kDhcpLeasesType{
    "dhcp_leases",
    Role::executor,
    "Answers queries for hosts with a DHCP lease on a RouterOS router, for IPv4 and IPv6. "
    "`HOST.domain` has A and AAAA records, and its addresses have PTR records. Other names "
    "continue with the next rule. Place it before the cache.\n\nLease changes apply at once, "
    "without a reload. `steerctl leases` shows the names, and why a lease has none.",
    "",
    "",
    [] { return row_texts(kDhcpLeasesRows); },
    read_dhcp_leases,
    nullptr};

}  // namespace steer::config
