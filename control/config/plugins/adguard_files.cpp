#include "control/config/plugins/adguard_files.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

#include "control/config/text/dns_names.h"

namespace steer::config {
namespace {

constexpr unsigned kLastRank = 3;  // of rules that block, without `important`

// Rules with the same conditions form one step. Important exceptions come first, then important rules, exceptions,
// and the rest.
std::vector<AdguardStep> steps_of(AdguardRules rules) {
    using Conditions = std::tuple<unsigned, std::vector<std::string>, std::vector<std::uint16_t>,
                                  std::vector<std::uint16_t>>;
    matchers::apply_badfilters(rules);
    std::map<Conditions, AdguardStep> steps;
    for (auto& rule : rules) {
        const unsigned rank =
            rule.important ? (rule.exception ? 0U : 1U) : (rule.exception ? 2U : kLastRank);
        AdguardStep& step = steps[{rank, rule.unless, rule.types, rule.other_types}];
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
    std::vector<AdguardStep> out;
    out.reserve(steps.size());
    for (auto& [conditions, step] : steps)
        out.push_back(std::move(step));
    return out;
}

}  // namespace

void take_adguard(Reading& in, const ListBytes& source, BadLineTerms terms, const Place& place,
                  AdguardRules& out) {
    auto list = matchers::read_adguard(source.bytes, source.file, parse_qtype);
    list.bad.step_over(list.left_out);
    if (!terms.match_all) refuse_rules_for_all(list.rules, list.bad);
    say_bad_lines(in, list.bad, list.rules.size(), terms.strict, source.file, place);
    const std::uint32_t number = in.file_number(source.file);
    for (auto& rule : list.rules) {
        rule.file = number;
        out.push_back(std::move(rule));
    }
}

AdguardSet adguard_set(AdguardRules rules, std::vector<RuleAt> names, bool strict) {
    AdguardSet set{steps_of(std::move(rules)), strict, {}};
    if (names.empty()) return set;
    const auto plain = std::ranges::find_if(set.steps, [](const AdguardStep& step) {
        return step.rank == kLastRank && step.unless.empty() && !step.has_types();
    });
    if (plain == set.steps.end()) {
        AdguardStep step;
        step.rank = kLastRank;
        step.rules = std::move(names);
        set.steps.push_back(std::move(step));
    } else {
        std::ranges::move(names, std::back_inserter(plain->rules));
    }
    return set;
}

}  // namespace steer::config
