#include "control/config/plugins/adguard_files.h"

#include <map>
#include <tuple>
#include <utility>

#include "control/config/dns_names.h"

namespace steer::config {
namespace {

// Rules with the same conditions form one step. Important exceptions come first, then important rules, exceptions,
// and the rest.
std::vector<AdguardStep> steps_of(AdguardRules rules) {
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

}  // namespace

void take_adguard(Reading& in, const ListBytes& source, bool strict, const Place& place,
                  AdguardRules& out, std::string_view hint) {
    auto list = matchers::read_adguard(source.bytes, source.file, parse_qtype);
    list.bad.step_over(list.left_out);
    say_bad_lines(in, list.bad, list.rules.size(), strict, source.file, place, hint);
    const std::uint32_t number = in.file_number(source.file);
    for (auto& rule : list.rules) {
        rule.file = number;
        out.push_back(std::move(rule));
    }
}

AdguardSet adguard_set(AdguardRules rules, bool strict) {
    return {steps_of(std::move(rules)), strict};
}

}  // namespace steer::config
