// zone: names with separate upstreams and a separate cache, and no other step.
#include "control/config/plugin_type.h"
#include "control/config/plugins/name_rules.h"
#include "control/config/plugins/tag_or_args.h"
#include "control/config/values.h"

namespace steer::config {
namespace {

struct ZoneArgs : Zone {
    TagOrArgs forward_node, cache_node;
    std::string secondary_tag;
    int secondary_line = 0;
};

void read_zone_names(Reading& in, const Node& node, const Place& place, ZoneArgs& out) {
    read_name_rules(in, node, place, out.names);
}

void read_zone_secondary(Reading& in, const Node& node, const Place& place, ZoneArgs& out) {
    if (read_value(in, node, place, {}, out.secondary_tag)) out.secondary_line = place.line;
}

constexpr std::string_view kNamesText =
    "names of the zone; a rule without a prefix is a `domain:` rule";
constexpr std::string_view kForwardText =
    "upstreams of the zone, as in `{upstreams: [{addr: 192.0.2.1}]}`";

constexpr std::array<Row<ZoneArgs>, 4> kZoneRows{{
    {"names", Own<ZoneArgs>{"list of rules, `$TAG`, `&FILE`", read_zone_names},
     "(required without `secondary`)", "", kNamesText},
    {"forward",
     Own<ZoneArgs>{"tag, or arguments of a `forward`",
                   keep_node<&ZoneArgs::forward_node, ZoneArgs>},
     "(required without `secondary`)", "", kForwardText},
    {"cache",
     Own<ZoneArgs>{"tag, or arguments of a `cache`", keep_node<&ZoneArgs::cache_node, ZoneArgs>},
     "none", "", "cache of the zone's answers, as in `{size: 1024}`"},
    {"secondary", Own<ZoneArgs>{"tag", read_zone_secondary}, "none", "",
     "a `secondary` whose records answer, instead of `names` and `forward`\nIts names are those at "
     "and below the zone's own name. Names that it does not have are NXDOMAIN. Names below a "
     "delegation continue with the next rule. Until the first transfer, and after the zone has "
     "expired, clients get SERVFAIL."},
}};

void read_zone(Reading& in, const Node* node, Plugin& plugin) {
    ZoneArgs args;
    Node empty;
    const Node& map = args_or_empty(node, plugin, empty);
    const std::string owner = owner_of(plugin);
    if (!read_rows(in, map, kZoneRows, owner, args)) return;
    Zone zone;
    zone.names = std::move(args.names);
    const bool has_secondary = map.find("secondary") != nullptr;
    for (const auto& [key, text] :
         {std::pair{"names", kNamesText}, std::pair{"forward", kForwardText}}) {
        const bool is_there = map.find(key) != nullptr;
        if (has_secondary && is_there)
            in.report().error(plugin.line,
                              owner + " has 'secondary' and '" + key + "': keep one of them");
        if (!has_secondary && !is_there) rows::missing_key(in, map, owner, key, text);
    }
    if (has_secondary) {
        if (map.find("cache") != nullptr)
            in.report().error(plugin.line,
                              owner + " has 'secondary', which needs no 'cache': remove it");
        if (!args.secondary_tag.empty())
            zone.secondary = in.refer_bare(args.secondary_tag, Wanted::secondary,
                                           {"secondary", owner, args.secondary_line});
        plugin.args = std::move(zone);
        return;
    }
    if (const auto index = use_plugin(in, args.forward_node, "forward", plugin))
        zone.forward = *index;
    zone.cache = use_plugin(in, args.cache_node, "cache", plugin);
    plugin.args = std::move(zone);
}

}  // namespace

const PluginType kZoneType{
    "zone",
    Role::executor,
    "Answers the names of a zone by upstreams of their own, or from the records of a `secondary`. "
    "Their answers may be cached in "
    "`cache`, and the program ends. Answers are returned unchanged, including NXDOMAIN. A dns64 or "
    "address list after it does not see them. Other names continue with the next rule.",
    "",
    "",
    [] { return row_texts(kZoneRows); },
    read_zone,
    nullptr};

}  // namespace steer::config
