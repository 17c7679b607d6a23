// prefer_ipv4 and prefer_ipv6: remove the other family's addresses from answers for names with the
// preferred family.
#include "control/config/plugin_type.h"

namespace steer::config {
namespace {

void read_probe_executor(Reading& in, const Node& node, const Place& place, Prefer& out) {
    std::string tag;
    if (!read_value(in, node, place, {}, tag)) return;
    out.probe = in.refer_bare(tag, Wanted::executor, place);
}

constexpr std::array<Row<Prefer>, 3> kPreferRows{{
    {"cache", &Prefer::cache, "true", "",
     "remember names that have the preferred family, and query only that family for them"},
    {"cache_ttl", &Prefer::cache_ttl, "3600", "1s..7d", "how long a name is remembered"},
    {"probe_executor", Own<Prefer>{"tag of an executor", read_probe_executor},
     "(the rest of the sequence)", "",
     "executor that queries the preferred family\nIt runs in place of the rest of the sequence, "
     "for these queries only. Its marks and lists do not count. If it finds records, the program "
     "ends with the empty answer."},
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
                                    " takes no arguments inside a sequence: define it under "
                                    "'plugins' with a tag, and write '$TAG' here");
    }
    plugin.args = args;
}

}  // namespace

const PluginType kPreferIpv4Type{
    "prefer_ipv4",
    Role::executor,
    "Answers AAAA queries without records if the name has A records. It wraps the rest of its "
    "sequence, which also runs for A in parallel. The A query may take at most 500 ms.",
    "prefer_ipv4",
    "",
    [] { return row_texts(kPreferRows); },
    read_prefer<false>,
    read_prefer_quick<false>};
const PluginType kPreferIpv6Type{
    "prefer_ipv6",
    Role::executor,
    "Answers A queries without records if the name has AAAA records. Otherwise like `prefer_ipv4`.",
    "prefer_ipv6",
    "",
    [] { return row_texts(kPreferRows); },
    read_prefer<true>,
    read_prefer_quick<true>};

}  // namespace steer::config
