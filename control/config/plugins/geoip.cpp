// geoip: prefixes of a geoip.dat by the codes of its lists; other code sees an ip_set.
#include "control/config/lists/rules.h"
#include "control/config/plugins/geo_file.h"
#include "matchers/list/geo_data.h"

namespace steer::config {
namespace {

constexpr std::array<Row<GeoArgs>, 5> kGeoipRows{{
    {"file", Files<GeoArgs>{"path or URL", read_geo_path}, "required", "",
     "geoip.dat file in v2fly's format"},
    {"selectors", Own<GeoArgs>{"list of codes", read_geo_selectors}, "none", "",
     "codes to include, in any case; default: all"},
    {"strict", &GeoArgs::strict, "false", "",
     "reject the file if it contains an invalid prefix\nBy default an invalid prefix is skipped "
     "with a warning."},
    max_shrink_row<GeoArgs>(),
    list_ready_row<GeoArgs>(),
}};

void read_geoip(Reading& in, const Node* node, Plugin& plugin) {
    GeoArgs args;
    Node empty;
    IpSet set;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    if (read_rows(in, map, kGeoipRows, owner, args)) {
        read_geo_file(
            in, args, owner, use_of(plugin, map), matchers::read_geoip,
            [&](const matchers::PrefixList& list, const std::string& file, const Place& place) {
                take_prefixes(in, list, args.strict, file, place, set.prefixes);
            });
    }
    plugin.args = std::move(set);
}

}  // namespace

const PluginType kGeoipType{"geoip",
                            Role::provider,
                            "A set of IP addresses from a geoip.dat file.",
                            "",
                            "",
                            [] { return row_texts(kGeoipRows); },
                            read_geoip,
                            nullptr};

}  // namespace steer::config
