// ip_set: addresses and prefixes, inline and from files, and other sets.
#include "control/config/lists/list_source.h"
#include "control/config/lists/rules.h"
#include "control/config/plugin_type.h"

namespace steer::config {
namespace {

struct IpSetArgs {
    std::vector<Text> ips, files, sets;
    bool strict = false;
    std::optional<std::uint32_t> max_shrink;
    bool ready = true;
};

constexpr std::array<Row<IpSetArgs>, 6> kIpSetRows{{
    {"ips", Own<IpSetArgs>{"list of addresses and prefixes", read_list<&IpSetArgs::ips, IpSetArgs>},
     "none", "", "IPv4 and IPv6 addresses and prefixes; host bits are ignored"},
    {"files", Files<IpSetArgs>{"list of paths and URLs", read_list<&IpSetArgs::files, IpSetArgs>},
     "none", "",
     "files with one address or prefix per line\nText after a blank or `#` is ignored."},
    {"sets", Own<IpSetArgs>{"list of tags", read_list<&IpSetArgs::sets, IpSetArgs>}, "none", "",
     "other ip_sets whose addresses are included"},
    {"strict", &IpSetArgs::strict, "false", "",
     "reject a file that contains an invalid line\nBy default an invalid line is skipped with a "
     "warning."},
    max_shrink_row<IpSetArgs>(),
    list_ready_row<IpSetArgs>(),
}};

void read_ip_set(Reading& in, const Node* node, Plugin& plugin) {
    IpSetArgs args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kIpSetRows, owner, args);
    IpSet set;
    for (const Text& ip : args.ips)
        read_prefix(in, ip, {"ips", owner, ip.line}, set.prefixes);
    const ListUse use = use_of(plugin, map);
    for (const Text& file : args.files)
        read_prefix_file(in, file, {"files", owner, file.line}, use, args.strict, set.prefixes);
    for (const Text& tag : args.sets) {
        if (const auto index = in.refer_bare(tag.value, Wanted::ip_set, {"sets", owner, tag.line}))
            set.sets.push_back(*index);
    }
    warn_without(in, map, plugin, {"ips", "files", "sets"}, "it holds no address");
    plugin.args = std::move(set);
}

}  // namespace

const PluginType kIpSetType{"ip_set",
                            Role::provider,
                            "A set of IP addresses.",
                            "",
                            "",
                            [] { return row_texts(kIpSetRows); },
                            read_ip_set,
                            nullptr};

}  // namespace steer::config
