// zone: names with a way of their own: their own upstreams, cache, and nothing else in between.
#include "control/config/plugins/name_rules.h"
#include "control/config/plugins/plugin_type.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

// A plugin by its tag, or its arguments, for one of its own.
struct TagOrArgs {
    const Node* node = nullptr;
    int line = 0;
};
struct Args : Zone {
    TagOrArgs forward_node, cache_node;
    std::vector<Text> upstreams;
};

template <auto Member>
void keep_node(Reading&, const Node& node, const Place& place, Args& out) {
    out.*Member = {&node, place.line};
}
void read_names(Reading& in, const Node& node, const Place& place, Args& out) {
    read_name_rules(in, node, place, out.names);
}

constexpr std::array<Row<Args>, 3> kRows{{
    {"names", Own<Args>{"list of rules, `$TAG`, `&FILE`", read_names}, "required", "",
     "whose way it is; without a prefix, `domain:` is meant"},
    {"forward", Own<Args>{"tag, or arguments of a `forward`", keep_node<&Args::forward_node>},
     "required", "", "who is asked, as in `{upstreams: [{addr: 192.0.2.1}]}`"},
    {"cache", Own<Args>{"tag, or arguments of a `cache`", keep_node<&Args::cache_node>}, "none", "",
     "where the answers are kept, as in `{size: 1024}`"},
}};

std::optional<PluginIndex> use(Reading& in, const TagOrArgs& what, std::string_view type_name,
                               const Plugin& plugin) {
    const PluginType* const type = find_type(type_name);
    if (!what.node->is_text()) {
        Plugin own;
        own.tag = plugin.tag + "." + std::string(type_name);
        own.type = type->name;
        own.role = type->role;
        own.line = what.line;
        type->read(in, what.node, own);
        return in.add_in_place(std::move(own));
    }
    const std::string owner = owner_of(plugin);
    const Place place{type_name, owner, what.line};
    const std::string_view tag =
        std::string_view(what.node->text).substr(what.node->text.starts_with('$') ? 1 : 0);
    const auto* const known = in.find_tag(tag);
    if (known != nullptr && known->type != type_name) {
        in.report().error(what.line, "'" + std::string(tag) + "' in " + place.name() + " is a " +
                                         known->type + ": expected a " + std::string(type_name));
        return std::nullopt;
    }
    return in.refer(tag, Wanted::executor, what.line);
}

void read(Reading& in, const Node* node, Plugin& plugin) {
    Args args;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kRows, owner_of(plugin), args);
    Zone zone;
    zone.names = std::move(args.names);
    if (args.forward_node.node != nullptr) {
        if (const auto index = use(in, args.forward_node, "forward", plugin)) zone.forward = *index;
    }
    if (args.cache_node.node != nullptr) zone.cache = use(in, args.cache_node, "cache", plugin);
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
    [] { return row_texts(kRows); },
    read,
    nullptr};

}  // namespace steer::config
