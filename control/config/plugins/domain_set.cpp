// domain_set: names by rules, inline and from files, and other sets.
#include "control/config/list_source.h"
#include "control/config/plugins/plugin_type.h"
#include "control/config/rules.h"

namespace steer::config {
namespace {

struct Args {
    std::vector<Text> exps, files, sets;
    matchers::ListForm format = matchers::ListForm::automatic;
    bool strict = false, inherit = false;
};

constexpr std::array<Row<Args>, 6> kRows{{
    {"exps", Own<Args>{"list of rules", read_list<&Args::exps, Args>}, "none", "",
     "rules; without a prefix, `domain:` is meant"},
    {"files", Own<Args>{"list of paths and URLs", read_list<&Args::files, Args>}, "none", "",
     "files with one rule a line; `#` begins a comment"},
    {"format", choice<Args, &Args::format>(), "auto",
     "auto|rules|hosts|adlist|dnsmasq|rpz|rpz_passthru|v2fly",
     "of the files: `hosts` (`0.0.0.0 NAME`, each the name alone), `adlist` of RouterOS (the same, "
     "or bare names), `dnsmasq` (the names of `address=`, `server=`, `local=`, `ipset=`, "
     "`nftset=`, "
     "with all below), `rpz` (what a response policy zone does not let through) and `rpz_passthru` "
     "(what it does), `v2fly` (a file of data/, which may include others beside it); `auto`: by "
     "the "
     "first line that is no comment: `hosts`, `dnsmasq`, `rpz`, or else `rules`"},
    {"sets", Own<Args>{"list of tags", read_list<&Args::sets, Args>}, "none", "",
     "domain_sets that are part of this one"},
    {"inherit", &Args::inherit, "false", "",
     "the names that answers for its names point to (CNAME, the TargetName of HTTPS and SVCB, SRV) "
     "are in it as well, "
     "for as long as the client may keep that answer, and so on from name to name; whoever may "
     "answer for a name of the "
     "set may so put any name into it"},
    {"strict", &Args::strict, "false", "",
     "a bad line of a file is an error; otherwise it is named in a warning and left out"},
}};

void read(Reading& in, const Node* node, Plugin& plugin) {
    Args args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kRows, owner, args);
    DomainSet set;
    set.strict = args.strict;
    set.inherit = args.inherit;
    for (const Text& exp : args.exps)
        read_rule(in, exp, {"exps", owner, exp.line}, set.rules);
    const ListUse use = use_of(plugin, map);
    for (const Text& file : args.files) {
        read_name_file(in, file, {"files", owner, file.line}, use, args.strict, args.format,
                       set.rules);
    }
    for (const Text& tag : args.sets) {
        if (const auto index =
                in.refer_bare(tag.value, Wanted::domain_set, {"sets", owner, tag.line})) {
            set.sets.push_back(*index);
        }
    }
    warn_without(in, map, plugin, {"exps", "files", "sets"}, "it matches no name");
    plugin.args = std::move(set);
}

}  // namespace

const PluginType kDomainSetType{
    "domain_set", Role::provider, "A set of domain names.", "", "", [] { return row_texts(kRows); },
    read,         nullptr};

}  // namespace steer::config
