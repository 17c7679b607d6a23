#include "control/config/lists/rule_steps.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace steer::config {
namespace {

// Of a rule with the same rank and conditions as others, which form one step.
using Conditions = std::tuple<unsigned, std::vector<std::string>, std::vector<std::uint16_t>,
                              std::vector<std::uint16_t>>;

// Important exceptions come first, then important rules, exceptions, and the rest.
unsigned rank_of(const matchers::AdguardRule& rule) {
    if (rule.important) return rule.exception ? 0 : 1;
    return rule.exception ? 2 : kLastRank;
}

void add_rule(matchers::AdguardRule rule, std::map<Conditions, RuleStep>& steps) {
    const unsigned rank = rank_of(rule);
    RuleStep& step = steps[{rank, rule.unless, rule.types, rule.other_types}];
    if (step.rules.empty()) {
        step.in = !rule.exception;
        step.rank = rank;
        step.types = rule.types;
        step.other_types = rule.other_types;
        for (const std::string& name : rule.unless)
            step.unless.push_back({{matchers::RuleKind::domain, name}, rule.file, rule.line});
    }
    step.rules.push_back({std::move(rule.rule), rule.file, rule.line});
}

}  // namespace

void apply_badfilters(std::span<ListRules> lists) {
    std::vector<matchers::AdguardRule> named;
    for (const ListRules& list : lists)
        std::ranges::copy_if(list.rules, std::back_inserter(named),
                             &matchers::AdguardRule::badfilter);
    if (named.empty()) return;
    const matchers::BadFilters bad(named);
    for (ListRules& list : lists) {
        std::erase_if(list.names, [&](const RuleAt& at) { return bad.removes(at.rule); });
        std::erase_if(list.rules, [&](const matchers::AdguardRule& rule) {
            return rule.badfilter || bad.removes(rule);
        });
    }
}

std::vector<RuleStep> steps_of(ListRules list) {
    apply_badfilters({&list, 1});
    std::map<Conditions, RuleStep> steps;
    if (!list.names.empty()) steps[{kLastRank, {}, {}, {}}].rules = std::move(list.names);
    for (matchers::AdguardRule& rule : list.rules)
        add_rule(std::move(rule), steps);
    std::vector<RuleStep> out;
    out.reserve(steps.size());
    for (auto& [conditions, step] : steps)
        out.push_back(std::move(step));
    return out;
}

}  // namespace steer::config
