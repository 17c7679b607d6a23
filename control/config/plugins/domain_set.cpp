// domain_set: names by rules, inline and from files, and other sets.
#include "control/config/list_source.h"
#include "control/config/plugins/plugin_type.h"
#include "control/config/rules.h"

namespace steer::config {
namespace {

struct DomainSetArgs {
    std::vector<Text> exps, files, sets;
    matchers::ListForm format = matchers::ListForm::automatic;
    bool strict = false, lenient = false, inherit = false;
    std::optional<std::uint32_t> max_shrink;
};

constexpr std::array<Row<DomainSetArgs>, 8> kDomainSetRows{{
    {"exps", Own<DomainSetArgs>{"list of rules", read_list<&DomainSetArgs::exps, DomainSetArgs>},
     "none", "", "rules; without a prefix, `domain:` is meant"},
    {"files",
     Own<DomainSetArgs>{"list of paths and URLs", read_list<&DomainSetArgs::files, DomainSetArgs>},
     "none", "", "files with one rule a line; `#` begins a comment"},
    {"format", choice<DomainSetArgs, &DomainSetArgs::format>(), "auto",
     "auto|rules|hosts|adlist|dnsmasq|rpz|rpz_passthru|v2fly",
     "of the files: `hosts` (`0.0.0.0 NAME`, each the name alone), `adlist` of RouterOS (the same, "
     "or bare names), `dnsmasq` (the names of `address=`, `server=`, `local=`, `ipset=`, "
     "`nftset=`, "
     "with all below), `rpz` (the names that a response policy zone blocks: NXDOMAIN, NODATA and "
     "DROP) and `rpz_passthru` (those that it lets through); for all else that a zone can say "
     "there "
     "is the plugin `rpz`; `v2fly` (a file of data/, which may include others beside it); `auto`: "
     "by "
     "the "
     "first line that is no comment: `hosts`, `dnsmasq`, `rpz`; `v2fly` if a line has attributes "
     "(`@cn`), affiliations (`&other`) or an `include:`; else `rules`"},
    {"sets", Own<DomainSetArgs>{"list of tags", read_list<&DomainSetArgs::sets, DomainSetArgs>},
     "none", "", "domain_sets that are part of this one"},
    {"inherit", &DomainSetArgs::inherit, "false", "",
     "the names that answers for its names point to (CNAME, the TargetName of HTTPS and SVCB, SRV) "
     "are in it as well, "
     "for as long as the client may keep that answer, and so on from name to name; whoever may "
     "answer for a name of the "
     "set may so put any name into it"},
    {"lenient", &DomainSetArgs::lenient, "false", "",
     "of response policy zones: leave out, with a warning, what a set of names cannot say (other "
     "triggers, other actions, a wildcard without the name itself); otherwise each is an error"},
    {"strict", &DomainSetArgs::strict, "false", "",
     "a bad line of a file is an error; otherwise it is named in a warning and left out"},
    max_shrink_row<DomainSetArgs>(),
}};

void read_domain_set(Reading& in, const Node* node, Plugin& plugin) {
    DomainSetArgs args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kDomainSetRows, owner, args);
    DomainSet set;
    set.strict = args.strict;
    set.inherit = args.inherit;
    for (const Text& exp : args.exps)
        read_rule(in, exp, {"exps", owner, exp.line}, set.rules);
    const ListUse use = use_of(plugin, map);
    for (const Text& file : args.files) {
        read_name_file(in, file, {"files", owner, file.line}, use, {args.strict, args.lenient},
                       args.format, set.rules);
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

const PluginType kDomainSetType{"domain_set",
                                Role::provider,
                                "A set of domain names.",
                                "",
                                "",
                                [] { return row_texts(kDomainSetRows); },
                                read_domain_set,
                                nullptr};

}  // namespace steer::config
