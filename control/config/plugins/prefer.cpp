// prefer_ipv4 and prefer_ipv6: no addresses of the other family for names that have some of the preferred one.
#include "control/config/plugins/plugin_type.h"

namespace steer::config {
namespace {

constexpr std::array<Row<Prefer>, 2> kPreferRows{{
    {"cache", &Prefer::cache, "true", "",
     "names that have the preferred family are remembered, and the other one is not asked for"},
    {"cache_ttl", &Prefer::cache_ttl, "3600", "1s..7d", "how long"},
}};

template <bool V6>
void read_prefer(Reading& in, const Node* node, Plugin& plugin) {
    Prefer args;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kPreferRows, owner_of(plugin), args);
    args.v6 = V6;
    plugin.args = args;
}

template <bool V6>
void read_prefer_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    Prefer args;
    args.v6 = V6;
    if (!words.empty()) {
        in.report().error(line, owner_of(plugin) +
                                    " takes no arguments in place: write it under "
                                    "'plugins' with a tag, and '$TAG' here");
    }
    plugin.args = args;
}

}  // namespace

const PluginType kPreferIpv4Type{
    "prefer_ipv4",
    Role::executor,
    "Answers AAAA without records where the name has A records; wraps the rest of its sequence, "
    "which is run for A as well, side by side, and waited for 500 ms at most.",
    "prefer_ipv4",
    "",
    [] { return row_texts(kPreferRows); },
    read_prefer<false>,
    read_prefer_quick<false>};
const PluginType kPreferIpv6Type{
    "prefer_ipv6",
    Role::executor,
    "Answers A without records where the name has AAAA records; otherwise as `prefer_ipv4`.",
    "prefer_ipv6",
    "",
    [] { return row_texts(kPreferRows); },
    read_prefer<true>,
    read_prefer_quick<true>};

}  // namespace steer::config
