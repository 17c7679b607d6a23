// adlist: names that are denied, by lists as RouterOS's /ip/dns/adlist has them.
#include <algorithm>

#include "control/config/plugins/name_rules.h"
#include "control/config/plugins/plugin_type.h"
#include "control/config/values.h"

namespace steer::config {
namespace {

// The lists themselves are domain_sets, or adguard_rules, of their own.
constexpr std::string_view kAdguard = "adguard";

struct List {
    std::string source, format, strict;
    int line = 0;
};
struct Args {
    std::vector<List> lists;
    NameRules allow;
    BlackHole answer{.mode = BlackHoleMode::null};
};

void read_source(Reading& in, const Node& node, const Place& place, List& out) {
    read_value(in, node, place, {}, out.source);
    out.line = place.line;
}
void read_format(Reading& in, const Node& node, const Place& place, List& out) {
    constexpr std::string_view kFormats = "adlist|hosts|rules|dnsmasq|rpz|adguard";
    if (read_choice(in, node, place, kFormats)) out.format = node.text;
}

constexpr std::array<Row<List>, 2> kListRows{{
    {"list", Own<List>{"path or URL", read_source}, "required", "", "where it is"},
    {"format", Own<List>{"one of", read_format}, "(adlist)",
     "adlist|hosts|rules|dnsmasq|rpz|adguard",
     "`adlist`: `0.0.0.0 NAME`, or a name a line, each that name alone, as RouterOS reads them; "
     "`adguard`: AdGuard's syntax, with exceptions; others as `format` of a domain_set"},
}};

void read_lists(Reading& in, const Node& node, const Place& place, Args& out) {
    if (!node.is_list() || node.items.empty()) {
        in.report().error(place.line,
                          place.name() + ": expected a list of paths and URLs, found " +
                              (node.is_list() ? "an empty list" : std::string(node.what())));
        return;
    }
    for (const Node& item : node.items) {
        List list;
        if (item.is_text()) {
            list.source = item.text;
            list.line = item.line;
        } else {
            read_rows(in, item, kListRows, "'lists' of " + std::string(place.owner), list);
        }
        if (!list.source.empty()) out.lists.push_back(std::move(list));
    }
}

void read_allow(Reading& in, const Node& node, const Place& place, Args& out) {
    read_name_rules(in, node, place, out.allow);
}

// As a black_hole that is written in place.
void read_answer(Reading& in, const Node& node, const Place& place, Args& out) {
    std::string words;
    if (!read_value(in, node, place, {}, words)) return;
    const PluginType* const type = find_type("black_hole");
    Plugin hole;
    hole.tag = std::string(place.owner);
    hole.type = type->name;
    type->read_quick(in, words, place.line, hole);
    if (const auto* made = std::get_if<BlackHole>(&hole.args)) out.answer = *made;
}

constexpr std::array<Row<Args>, 3> kRows{{
    {"lists", Own<Args>{"list of paths, URLs and maps", read_lists}, "required", "",
     "as in `- https://lists.example/hosts` or `- {list: ads.txt, format: adguard}`; a URL is "
     "fetched again as `control.fetch` says, its last good copy is kept"},
    {"allow", Own<Args>{"list of rules, `$TAG`, `&FILE`", read_allow}, "none", "",
     "names that pass, whatever the lists say"},
    {"answer", Own<Args>{"`null`, `nxdomain`, `nodata`, `refused` or addresses", read_answer},
     "(null)", "", "what a denied name gets; `null`: 0.0.0.0 and ::"},
}};

Node text_node(std::string text, int line) {
    Node out;
    out.kind = Node::Kind::text;
    out.text = std::move(text);
    out.line = line;
    return out;
}

AdListPart part_of(Reading& in, const List& list, std::size_t number, const Plugin& plugin) {
    const bool is_adguard = list.format == kAdguard;
    const PluginType* const type = find_type(is_adguard ? "adguard_rule" : "domain_set");
    Node args, files;
    args.kind = Node::Kind::map;
    files.kind = Node::Kind::list;
    args.line = files.line = list.line;
    files.items.push_back(text_node(list.source, list.line));
    args.entries.push_back({"files", list.line, std::move(files)});
    if (!is_adguard)
        args.entries.push_back(
            {"format", list.line,
             text_node(list.format.empty() ? std::string("adlist") : list.format, list.line)});
    Plugin provider;
    provider.tag = plugin.tag + "." + std::to_string(number);
    provider.type = type->name;
    provider.role = type->role;
    provider.line = list.line;
    type->read(in, &args, provider);
    return {list.source, in.add_in_place(std::move(provider))};
}

void read(Reading& in, const Node* node, Plugin& plugin) {
    Args args;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kRows, owner_of(plugin), args);
    AdList out;
    for (const List& list : args.lists)
        out.lists.push_back(part_of(in, list, out.lists.size() + 1, plugin));
    out.allow = std::move(args.allow);
    out.answer = std::move(args.answer);
    plugin.args = std::move(out);
}

}  // namespace

const PluginType kAdlistType{
    "adlist",
    Role::executor,
    "Denies the names of lists: the answer is `null` (0.0.0.0 and ::) or what `answer` says, and "
    "ends the program; other names pass. Put it in front of the cache. `steerctl adlist` shows how "
    "many names each list has and how often it denied one, pauses for a while, and fetches anew.",
    "",
    "",
    [] { return row_texts(kRows); },
    read,
    nullptr};

}  // namespace steer::config
