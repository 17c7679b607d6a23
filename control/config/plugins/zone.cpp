// zone: names with separate upstreams and a separate cache, and no other step.
#include "control/config/plugin_type.h"
#include "control/config/plugins/name_rules.h"
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
     "names of the zone; a rule without a prefix is a `domain:` rule"},
    {"forward",
     Own<ZoneArgs>{"tag, or arguments of a `forward`",
                   keep_node<&ZoneArgs::forward_node, ZoneArgs>},
     "required", "", "upstreams of the zone, as in `{upstreams: [{addr: 192.0.2.1}]}`"},
    {"cache",
     Own<ZoneArgs>{"tag, or arguments of a `cache`", keep_node<&ZoneArgs::cache_node, ZoneArgs>},
     "none", "", "cache of the zone's answers, as in `{size: 1024}`"},
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
    "Forwards the names of a zone to upstreams of their own. Their answers may be cached in "
    "`cache`, and the program ends. Answers are returned unchanged, including NXDOMAIN. A dns64 or "
    "address list after it does not see them. Other names continue with the next rule.",
    "",
    "",
    [] { return row_texts(kZoneRows); },
    read_zone,
    nullptr};

}  // namespace steer::config
