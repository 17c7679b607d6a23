// learn_domain: names of queries become rules of a dynamic_domain_set.
#include <algorithm>

#include "control/config/plugin_type.h"
#include "control/config/text/dns_names.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct LearnDomainArgs {
    std::string provider, set;  // names of the same
    LearnDomain out;
};

template <auto Member>
constexpr Own<LearnDomainArgs> flag() {
    return {"true/false",
            [](Reading& in, const Node& node, const Place& place, LearnDomainArgs& args) {
                read_value(in, node, place, {}, args.out.*Member);
            }};
}

void read_types(Reading& in, const Node& node, const Place& place, LearnDomainArgs& args) {
    auto& types = args.out.qtypes;
    types.clear();
    for (const Text& text : read_texts(in, node, place)) {
        if (const auto type = parse_qtype(text.value)) {
            types.push_back(*type);
        } else {
            in.report().error(text.line, place.name() + " has " + matchers::quoted(text.value) +
                                             ": expected a type, such as A or HTTPS");
        }
    }
    if (types.empty())
        in.report().error(place.line, place.name() + " names no type: write one, such as A");
    std::sort(types.begin(), types.end());
    types.erase(std::unique(types.begin(), types.end()), types.end());
}

// Settings that make queries wait in OxiDNS; here queries never wait.
void ignore(Reading&, const Node&, const Place&, LearnDomainArgs&) {}

constexpr std::string_view kRuleKinds = "full|domain";
constexpr Choice<LearnDomainArgs> kKind{[](LearnDomainArgs& args, unsigned index) {
    args.out.rule_kind = index == 0 ? matchers::RuleKind::full : matchers::RuleKind::domain;
}};

constexpr std::array<Row<LearnDomainArgs>, 13> kLearnDomainRows{{
    {"provider", &LearnDomainArgs::provider, "none", "",
     "tag of the dynamic_domain_set that receives the rules; required"},
    {"set", &LearnDomainArgs::set, "none", "", "alias of `provider`"},
    {"rule_kind", kKind, "full", kRuleKinds,
     "kind of rule to add\n`full` matches the name alone. `domain` adds the registrable domain of "
     "the name (`bbc.co.uk` of `www.bbc.co.uk`) and matches all names below it; public suffixes, "
     "such as `com` and `co.uk`, are not learned then."},
    {"kind", kKind, "full", kRuleKinds, "alias of `rule_kind`"},
    {"max_names",
     Own<LearnDomainArgs>{
         "integer",
         [](Reading& in, const Node& node, const Place& place, LearnDomainArgs& args) {
             read_value(in, node, place, "1..1000000", args.out.max_names);
         }},
     "10000", "1..1000000", "maximum rules in the set; at the limit no name is learned"},
    {"phase", Choice<LearnDomainArgs>{[](LearnDomainArgs& args, unsigned index) {
         args.out.before = index == 1;
     }},
     "after", "after|before",
     "when a name is learned\n`after`: after the rest of the sequence, depending on the answer. "
     "`before`: at once."},
    {"qtypes", Own<LearnDomainArgs>{"list of types", read_types}, "(A, AAAA)", "",
     "query types whose names are learned"},
    {"success_only", flag<&LearnDomain::success_only>(), "true", "",
     "with `phase: after`: learn only names with a NOERROR answer"},
    {"answer_required", flag<&LearnDomain::answer_required>(), "true", "",
     "with `phase: after`: learn only names whose answer has records"},
    {"questions", Own<LearnDomainArgs>{"text", ignore}, "(first)", "",
     "accepted for compatibility; a query has one question"},
    {"async", NotYet{}, "true", "", "false: an answer waits until the name is learned"},
    {"error_mode", NotYet{}, "continue", "",
     "what happens to a query whose name cannot be learned"},
    {"timeout", Own<LearnDomainArgs>{"duration", ignore}, "(none)", "",
     "accepted for compatibility; no answer waits"},
}};

void finish(Reading& in, const std::string& tag, const Place& place, Plugin& plugin,
            LearnDomain out) {
    const auto* const declared = in.find_tag(tag.starts_with('$') ? tag.substr(1) : tag);
    const auto index = in.refer_bare(tag, Wanted::domain_set, place);
    if (index && declared != nullptr && declared->type != "dynamic_domain_set") {
        in.report().error(
            place.line,
            place.name() + ": '" + tag + "' is a " + declared->type +
                ", whose rules cannot change: expected the tag of a dynamic_domain_set");
    } else if (index) {
        out.set = *index;
    }
    plugin.args = std::move(out);
}

void read_learn_domain_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    const std::string tag(trimmed(words));
    if (tag.empty()) {
        in.report().error(
            line, owner_of(plugin) + " names no set: write the tag of a dynamic_domain_set");
        plugin.args = LearnDomain{};
        return;
    }
    finish(in, tag, {"provider", owner_of(plugin), line}, plugin, LearnDomain{});
}

void read_learn_domain(Reading& in, const Node* node, Plugin& plugin) {
    if (node != nullptr && node->is_text())
        return read_learn_domain_quick(in, node->text, node->line, plugin);
    LearnDomainArgs args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    const bool is_map = read_rows(in, map, kLearnDomainRows, owner, args);
    const Node *const provider = map.find("provider"), *const set = map.find("set");
    plugin.args = args.out;
    if (!is_map) return;
    if ((provider == nullptr) == (set == nullptr)) {
        in.report().error(plugin.line, owner +
                                           (set == nullptr ? " names no set" : " names two sets") +
                                           ": write the tag of a dynamic_domain_set as 'provider'");
        return;
    }
    const Place place{set != nullptr ? "set" : "provider", owner,
                      set != nullptr ? set->line : provider->line};
    const std::string& tag = set != nullptr ? args.set : args.provider;
    if (!tag.empty()) finish(in, tag, place, plugin, std::move(args.out));
}

}  // namespace

const PluginType kLearnDomainType{
    "learn_domain",
    Role::executor,
    "Adds the names of queries to a `dynamic_domain_set`, like `steerctl rules TAG add`. It wraps "
    "the rest of its sequence.\n\nNames are added in batches, at least 10 s apart. Queries before "
    "the batch is active, also the one that taught the name, do not match the set yet. A learned "
    "name stays until you remove it (`steerctl rules TAG remove`). Nothing is learned while a file "
    "of the configuration differs from the active one; run `steerctl reload`.\n\n**Security**: "
    "clients choose which names are learned, and rules on the set apply to all clients. Use "
    "`learn_domain` only where you expect every name. With `rule_kind: domain`, public "
    "suffixes, such as `com` and `co.uk`, are rejected.\n\nThe metric is `steerdns_learned_names`.",
    "learn_domain TAG",
    "",
    [] { return row_texts(kLearnDomainRows); },
    read_learn_domain,
    read_learn_domain_quick};

}  // namespace steer::config
