// geosite: names of a geosite.dat by the codes of its lists; to the rest a domain_set.
#include "control/config/plugins/geo_file.h"
#include "control/config/rules.h"
#include "matchers/list/geo_data.h"

namespace steer::config {
namespace {

constexpr std::array<Row<GeoArgs>, 4> kGeositeRows{{
    {"file", Own<GeoArgs>{"path or URL", read_geo_path}, "required", "",
     "a geosite.dat of v2fly's format"},
    {"selectors", Own<GeoArgs>{"list of codes", read_geo_selectors}, "none", "",
     "what is taken: `CODE`, or `CODE@ATTRIBUTE` for the rules of a list that have an attribute; "
     "all together, in any case; without this key, everything"},
    {"strict", &GeoArgs::strict, "false", "",
     "a bad rule of the file is an error; otherwise it is named in a warning and left out"},
    max_shrink_row<GeoArgs>(),
}};

void read_geosite(Reading& in, const Node* node, Plugin& plugin) {
    GeoArgs args;
    Node empty;
    DomainSet set;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    if (read_rows(in, map, kGeositeRows, owner, args)) {
        set.strict = args.strict;
        read_geo_file(in, args, owner, use_of(plugin, map), matchers::read_geosite,
                      [&](matchers::RuleList list, const std::string& file, const Place& place) {
                          take_rules(in, std::move(list), args.strict, file, place, set.rules);
                      });
    }
    plugin.args = std::move(set);
}

}  // namespace

const PluginType kGeositeType{"geosite",
                              Role::provider,
                              "A set of domain names, taken from a geosite.dat.",
                              "",
                              "",
                              [] { return row_texts(kGeositeRows); },
                              read_geosite,
                              nullptr};

}  // namespace steer::config
