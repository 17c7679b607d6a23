// adguard_rule: rules in AdGuard's syntax, inline and from files; to the rest a domain_set.
#include <utility>

#include "control/config/dns_names.h"
#include "control/config/plugins/adguard_files.h"
#include "control/config/plugins/plugin_type.h"

namespace steer::config {
namespace {

struct Args {
    std::vector<Text> rules, files;
    bool strict = false;
};

constexpr std::array<Row<Args>, 3> kRows{{
    {"rules", Own<Args>{"list of rules", read_list<&Args::rules, Args>}, "none", "",
     "rules such as `||ads.example^`, `@@||good.ads.example^`, `/^ad[0-9]+/$important`"},
    {"files", Own<Args>{"list of paths and URLs", read_list<&Args::files, Args>}, "none", "",
     "files with one rule a line; `!` and `#` begin a comment; rules about pages are stepped over"},
    {"strict", &Args::strict, "false", "",
     "a bad line of a file is an error; otherwise it is named in a warning and left out"},
}};

using Rules = std::vector<matchers::AdguardRule>;

void read_inline(Reading& in, const Args& args, const std::string& owner, Rules& out) {
    for (const Text& text : args.rules) {
        auto rule = matchers::parse_adguard(text.value, parse_qtype);
        if (!rule) {
            in.report().error(text.line, "'rules' of " + owner + ": " + rule.error().text);
        } else if (*rule) {
            (*rule)->line = text.line;
            out.push_back(**std::move(rule));
        }
    }
}

void read(Reading& in, const Node* node, Plugin& plugin) {
    Args args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kRows, owner, args);
    Rules rules;
    read_inline(in, args, owner, rules);
    const ListUse use = use_of(plugin, map);
    for (const Text& path : args.files) {
        const Place place{"files", owner, path.line};
        if (const auto source = read_list_source(in, path, place, use))
            take_adguard(in, *source, args.strict, place, rules);
    }
    warn_without(in, map, plugin, {"rules", "files"}, "it matches no name");
    plugin.args = adguard_set(std::move(rules), args.strict);
}

}  // namespace

const PluginType kAdguardRuleType{
    "adguard_rule",
    Role::provider,
    "A set of domain names by rules in AdGuard's syntax: those that are blocked and not excepted. "
    "`||d^` is the name and everything below it, a bare `d` the name alone, `|d` begins a name, "
    "`d|` "
    "ends it, `*` is any text, `/.../` a regular expression, `@@` an exception; modifiers are "
    "`important`, `badfilter`, `denyallow`, `dnstype`. Rules with `dnstype` count for the matcher "
    "`question` alone.",
    "",
    "",
    [] { return row_texts(kRows); },
    read,
    nullptr};

}  // namespace steer::config
