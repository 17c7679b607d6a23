// domain_set: names by rules, inline and from files, and other sets.
#include <ostream>
#include <utility>

#include "control/config/lists/list_source.h"
#include "control/config/lists/rule_steps.h"
#include "control/config/lists/rules.h"
#include "control/config/plugin_type.h"
#include "control/config/reference.h"
#include "matchers/list/name_list.h"

namespace steer::config {
namespace {

struct DomainSetArgs {
    std::vector<Text> exps, files, sets;
    matchers::ListForm format = matchers::ListForm::automatic;
    bool strict = false, lenient = false, match_all = false, inherit = false;
    std::optional<std::uint32_t> max_shrink;
    bool ready = true;
};

#define STEER_LIST_FORM(form, use, text) "|" #form
constexpr std::string_view kSetFormats = "auto" STEER_LIST_FORMS(STEER_LIST_FORM);
#undef STEER_LIST_FORM

constexpr std::array<Row<DomainSetArgs>, 10> kDomainSetRows{{
    {"exps", Own<DomainSetArgs>{"list of rules", read_list<&DomainSetArgs::exps, DomainSetArgs>},
     "none", "", "rules; a rule without a prefix is a `domain:` rule"},
    {"files",
     Files<DomainSetArgs>{"list of paths and URLs",
                          read_list<&DomainSetArgs::files, DomainSetArgs>},
     "none", "", "files with one rule per line; `#` starts a comment"},
    {"format", choice<DomainSetArgs, &DomainSetArgs::format>(), "auto", kSetFormats,
     "format of `files`, see below"},
    {"sets", Own<DomainSetArgs>{"list of tags", read_list<&DomainSetArgs::sets, DomainSetArgs>},
     "none", "", "other domain_sets whose names are included"},
    {"inherit", &DomainSetArgs::inherit, "false", "",
     "also match the targets of CNAME, HTTPS, SVCB and SRV records of its names\nTargets "
     "stay in the set while clients may cache the answer. Targets of targets are included "
     "too, also those that an exception covers. The owner of a name in the set can therefore add "
     "any name to it."},
    {"lenient", &DomainSetArgs::lenient, "false", "",
     "skip records of response policy zones that are not plain names\nSkipped records are other "
     "triggers, other actions, and wildcards without the name itself. A warning reports them. By "
     "default each one is an error."},
    {"strict", &DomainSetArgs::strict, "false", "",
     "reject a file that contains an invalid line\nBy default an invalid line is skipped with a "
     "warning."},
    match_all_row<DomainSetArgs>(),
    max_shrink_row<DomainSetArgs>(),
    list_ready_row<DomainSetArgs>(),
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
    ListRules rules;
    for (const Text& exp : args.exps)
        read_rule(in, exp, {"exps", owner, exp.line}, rules.names);
    const ListUse use = use_of(plugin, map);
    for (const Text& file : args.files) {
        read_name_file(in, file, {"files", owner, file.line}, use,
                       {args.strict, args.lenient, args.match_all}, args.format, rules);
    }
    set.steps = steps_of(std::move(rules));
    for (const Text& tag : args.sets) {
        if (const auto index =
                in.refer_bare(tag.value, Wanted::domain_set, {"sets", owner, tag.line})) {
            set.sets.push_back(*index);
        }
    }
    warn_without(in, map, plugin, {"exps", "files", "sets"}, "it matches no name");
    plugin.args = std::move(set);
}

constexpr std::string_view kFormats = R"(| `auto` | detected, see below |

`auto` takes the format that more than half of the lines have. A file is `rpz` if its first line is
an SOA record, `$TTL` or `$ORIGIN`. It is `v2fly` if a line has attributes (`@cn`), affiliations
(`&other`) or an `include:`. All other files are `rules`. Lines in another format are invalid.

Rules about other things (`IP-CIDR`, `$client`, `server=/NAME/#`) are skipped, with one warning per
file. In `clash`, `surge` and `quantumult`, a name without a sign is that name alone. The plugin
`rpz` supports everything else that a response policy zone can contain.

Exceptions of AdGuard (`@@`) remove names from the set. They and `badfilter` count for `exps` and
all `files` of the set, but not for its `sets`. For modifiers, see [`adguard_rule`](#adguard_rule).
With `auto`, exceptions also count among lines of another format. If `format` names that format,
they are skipped with a warning.
)";

void write_formats(std::ostream& out) {
    out << "Formats of `files`:\n\n| `format` | content |\n|---|---|\n";
    for (const matchers::ListFormRow& row : matchers::kListForms)
        out << "| `" << row.name << "` | " << row.text << " |\n";
    out << kFormats << '\n';
}

}  // namespace

const PluginType kDomainSetType{"domain_set",
                                Role::provider,
                                "A set of domain names.",
                                "",
                                "",
                                [] { return row_texts(kDomainSetRows); },
                                read_domain_set,
                                nullptr,
                                {.reference = write_formats}};

}  // namespace steer::config
