// geosite: names of a geosite.dat by the codes of its lists; other code sees a domain_set.
#include <utility>

#include "control/config/lists/rule_steps.h"
#include "control/config/lists/rules.h"
#include "control/config/plugins/geo_file.h"
#include "matchers/list/geo_data.h"

namespace steer::config {
namespace {

constexpr std::array<Row<GeoArgs>, 6> kGeositeRows{{
    {"file", Files<GeoArgs>{"path or URL", read_geo_path}, "required", "",
     "geosite.dat file in v2fly's format"},
    {"selectors", Own<GeoArgs>{"list of codes", read_geo_selectors}, "none", "",
     "lists to include: `CODE`, or `CODE@ATTRIBUTE`; default: all\n`CODE@ATTRIBUTE` includes only "
     "the rules of a list that have the attribute. Case does not matter."},
    {"strict", &GeoArgs::strict, "false", "",
     "reject the file if it contains an invalid rule\nBy default an invalid rule is skipped with a "
     "warning."},
    match_all_row<GeoArgs>(),
    max_shrink_row<GeoArgs>(),
    list_ready_row<GeoArgs>(),
}};

void read_geosite(Reading& in, const Node* node, Plugin& plugin) {
    GeoArgs args;
    Node empty;
    DomainSet set;
    ListRules rules;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    if (read_rows(in, map, kGeositeRows, owner, args)) {
        set.strict = args.strict;
        read_geo_file(in, args, owner, use_of(plugin, map), matchers::read_geosite,
                      [&](matchers::RuleList list, const std::string& file, const Place& place) {
                          if (!args.match_all) refuse_rules_for_all(list.rules, list.bad);
                          take_rules(in, std::move(list), args.strict, file, place, rules.names);
                      });
    }
    set.steps = steps_of(std::move(rules));
    plugin.args = std::move(set);
}

}  // namespace

const PluginType kGeositeType{"geosite",
                              Role::provider,
                              "A set of domain names from a geosite.dat file.",
                              "",
                              "",
                              [] { return row_texts(kGeositeRows); },
                              read_geosite,
                              nullptr};

}  // namespace steer::config
