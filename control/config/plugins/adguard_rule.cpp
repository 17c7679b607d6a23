// adguard_rule: rules in AdGuard's syntax, inline and from files; to the rest a domain_set.
#include <map>
#include <tuple>
#include <utility>

#include "control/config/dns_names.h"
#include "control/config/list_source.h"
#include "control/config/plugins/plugin_type.h"
#include "control/config/rules.h"
#include "matchers/list/adguard_list.h"

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

void read_rule_files(Reading& in, const Args& args, const std::string& owner, const ListUse& use,
                     Rules& out) {
    for (const Text& path : args.files) {
        const Place place{"files", owner, path.line};
        const auto source = read_list_source(in, path, place, use);
        if (!source) continue;
        const std::string& file = source->file;
        auto list = matchers::read_adguard(source->bytes, file, parse_qtype);
        say_bad_lines(in, list.bad, list.rules.size() + list.left_out, args.strict, file, place);
        const std::uint32_t number = in.file_number(file);
        for (auto& rule : list.rules) {
            rule.file = number;
            out.push_back(std::move(rule));
        }
    }
}

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

// Rules that hold under the same conditions are one step; important exceptions come first, then important rules,
// exceptions, and the rest.
std::vector<AdguardStep> steps_of(Rules rules) {
    using Conditions = std::tuple<unsigned, std::vector<std::string>, std::vector<std::uint16_t>,
                                  std::vector<std::uint16_t>>;
    matchers::apply_badfilters(rules);
    std::map<Conditions, AdguardStep> steps;
    for (auto& rule : rules) {
        const unsigned rank = (rule.important ? 0U : 2U) + (rule.exception ? 0U : 1U);
        AdguardStep& step = steps[{rank, rule.unless, rule.types, rule.other_types}];
        if (step.rules.empty()) {
            step.in = !rule.exception;
            step.types = rule.types;
            step.other_types = rule.other_types;
            for (const std::string& name : rule.unless)
                step.unless.push_back({{matchers::RuleKind::domain, name}, rule.file, rule.line});
        }
        step.rules.push_back({std::move(rule.rule), rule.file, rule.line});
    }
    std::vector<AdguardStep> out;
    out.reserve(steps.size());
    for (auto& [conditions, step] : steps)
        out.push_back(std::move(step));
    return out;
}

void read(Reading& in, const Node* node, Plugin& plugin) {
    Args args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kRows, owner, args);
    Rules rules;
    read_inline(in, args, owner, rules);
    read_rule_files(in, args, owner, use_of(plugin, map), rules);
    warn_without(in, map, plugin, {"rules", "files"}, "it matches no name");
    plugin.args = AdguardSet{steps_of(std::move(rules)), args.strict};
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
