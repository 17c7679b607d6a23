// adguard_rule: rules in AdGuard's syntax, inline and from files; other code sees a domain_set.
#include <utility>

#include "control/config/lists/list_source.h"
#include "control/config/lists/rule_steps.h"
#include "control/config/lists/rules.h"
#include "control/config/plugin_type.h"
#include "control/config/text/dns_names.h"

namespace steer::config {
namespace {

struct AdguardRuleArgs {
    std::vector<Text> rules, files;
    bool strict = false, match_all = false;
    std::optional<std::uint32_t> max_shrink;
    bool ready = true;
};

constexpr std::array<Row<AdguardRuleArgs>, 6> kAdguardRuleRows{{
    {"rules",
     Own<AdguardRuleArgs>{"list of rules", read_list<&AdguardRuleArgs::rules, AdguardRuleArgs>},
     "none", "", "rules, as in `||ads.example^`, `@@||good.ads.example^`, `/^ad[0-9]+/$important`"},
    {"files",
     Files<AdguardRuleArgs>{"list of paths and URLs",
                            read_list<&AdguardRuleArgs::files, AdguardRuleArgs>},
     "none", "",
     "files with one rule per line\n`!` and `#` start a comment. Rules for page elements are "
     "skipped."},
    {"strict", &AdguardRuleArgs::strict, "false", "",
     "reject a file that contains an invalid line\nBy default an invalid line is skipped with a "
     "warning."},
    match_all_row<AdguardRuleArgs>(),
    max_shrink_row<AdguardRuleArgs>(),
    list_ready_row<AdguardRuleArgs>(),
}};

void read_inline(Reading& in, const AdguardRuleArgs& args, const std::string& owner,
                 ListRules& out) {
    for (const Text& text : args.rules) {
        auto rule = matchers::parse_adguard(text.value, parse_qtype);
        if (!rule) {
            in.report().error(text.line, "'rules' of " + owner + ": " + rule.error().text);
        } else if (*rule) {
            (*rule)->line = text.line;
            out.rules.push_back(**std::move(rule));
        }
    }
}

void read_adguard_rule(Reading& in, const Node* node, Plugin& plugin) {
    AdguardRuleArgs args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kAdguardRuleRows, owner, args);
    ListRules rules;
    read_inline(in, args, owner, rules);
    const ListUse use = use_of(plugin, map);
    for (const Text& path : args.files) {
        read_name_file(in, path, {"files", owner, path.line}, use,
                       {args.strict, false, args.match_all}, matchers::ListForm::adguard, rules);
    }
    warn_without(in, map, plugin, {"rules", "files"}, "it matches no name");
    DomainSet set;
    set.steps = steps_of(std::move(rules));
    set.strict = args.strict;
    plugin.args = std::move(set);
}

}  // namespace

const PluginType kAdguardRuleType{
    "adguard_rule",
    Role::provider,
    "A set of blocked domain names, from rules in AdGuard syntax. Exceptions (`@@`) remove names "
    "from the set.\n\n`||d^` matches the name and all names below it, a bare `d` only the name. "
    "`|d` anchors the start and `d|` the end of a name. `*` matches any text, and `/.../` is a "
    "regular expression.\n\nSupported modifiers are `important`, `badfilter`, `denyallow` and "
    "`dnstype`. Rules with `dnstype` apply in the matcher `question` and in an `adlist`. Other "
    "plugins ignore them with a warning. In files, rules with other modifiers (`client`, "
    "`dnsrewrite`, `ctag`) are skipped, with one warning per file. In `rules` they are an error.",
    "",
    "",
    [] { return row_texts(kAdguardRuleRows); },
    read_adguard_rule,
    nullptr};

}  // namespace steer::config
