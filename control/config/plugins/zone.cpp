// zone: names with a way of their own: their own upstreams, cache, and nothing else in between.
#include "control/config/plugins/name_rules.h"
#include "control/config/plugins/plugin_type.h"
#include "control/config/plugins/tag_or_args.h"
#include "control/config/values.h"

namespace steer::config {
namespace {

struct ZoneArgs : Zone {
    TagOrArgs forward_node, cache_node;
};

void read_zone_names(Reading& in, const Node& node, const Place& place, ZoneArgs& out) {
    read_name_rules(in, node, place, out.names);
}

constexpr std::array<Row<ZoneArgs>, 3> kZoneRows{{
    {"names", Own<ZoneArgs>{"list of rules, `$TAG`, `&FILE`", read_zone_names}, "required", "",
     "whose way it is; without a prefix, `domain:` is meant"},
    {"forward",
     Own<ZoneArgs>{"tag, or arguments of a `forward`",
                   keep_node<&ZoneArgs::forward_node, ZoneArgs>},
     "required", "", "who is asked, as in `{upstreams: [{addr: 192.0.2.1}]}`"},
    {"cache",
     Own<ZoneArgs>{"tag, or arguments of a `cache`", keep_node<&ZoneArgs::cache_node, ZoneArgs>},
     "none", "", "where the answers are kept, as in `{size: 1024}`"},
}};

void read_zone(Reading& in, const Node* node, Plugin& plugin) {
    ZoneArgs args;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kZoneRows, owner_of(plugin), args);
    Zone zone;
    zone.names = std::move(args.names);
    if (const auto index = use_plugin(in, args.forward_node, "forward", plugin))
        zone.forward = *index;
    zone.cache = use_plugin(in, args.cache_node, "cache", plugin);
    plugin.args = std::move(zone);
}

}  // namespace

const PluginType kZoneType{
    "zone",
    Role::executor,
    "Names with a way of their own: they are asked of `forward`, by `cache` if there is one, and "
    "the program ends. What upstreams say goes to the client as it is: response codes are "
    "unchanged (NXDOMAIN stays NXDOMAIN), and no dns64, list or cache behind it is met. Other "
    "names pass.",
    "",
    "",
    [] { return row_texts(kZoneRows); },
    read_zone,
    nullptr};

}  // namespace steer::config
