#include "control/program/build/name_verdict.h"

#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "control/config/text/dns_names.h"
#include "control/program/build/tag_masks.h"
#include "dataplane/dns/query.h"

namespace steer::build {
namespace {

// The rules among others that match the name.
class MatchingRules {
  public:
    explicit MatchingRules(std::span<const config::HoldingRule> rules) {
        for (const config::HoldingRule& rule : rules) {
            texts_.insert(rule.rule);
            names_.insert(rule.rule.substr(rule.rule.find(':') + 1));
        }
    }
    [[nodiscard]] std::vector<config::RuleAt> of(const std::vector<config::RuleAt>& rules) const {
        std::vector<config::RuleAt> out;
        for (const config::RuleAt& at : rules) {
            if (names_.contains(at.rule.text) && texts_.contains(config::rule_text(at.rule)))
                out.push_back({at.rule, 0, 0, 0});
        }
        return out;
    }
    [[nodiscard]] config::NameRules of(const config::NameRules& names) const {
        return {of(names.rules), names.sets};
    }
    [[nodiscard]] config::DomainSet of(const config::DomainSet& set) const {
        config::DomainSet out;
        out.sets = set.sets;
        out.exceptions = set.exceptions;
        for (const config::RuleStep& step : set.steps) {
            auto rules = of(step.rules);
            if (rules.empty()) continue;  // it decides nothing about this name
            out.steps.push_back({step.in, step.rank, std::move(rules), of(step.unless), step.types,
                                 step.other_types});
        }
        return out;
    }
    [[nodiscard]] config::AdList of(const config::AdList& ads) const {
        config::AdList out;
        out.lists = ads.lists;
        out.exceptions = ads.exceptions;
        out.allow = of(ads.allow);
        return out;
    }
    [[nodiscard]] config::Qname of(const config::Qname& names) const {
        return {of(static_cast<const config::NameRules&>(names))};
    }
    [[nodiscard]] config::Question of(const config::Question& names) const {
        return {of(static_cast<const config::NameRules&>(names))};
    }

  private:
    std::set<std::string> texts_;
    std::set<std::string> names_;  // the same without the kinds: cheaper to compare
};

}  // namespace

NameVerdict::NameVerdict(const config::Settings& settings,
                         std::span<const config::HoldingRule> rules, std::string_view name) {
    if (auto wire = config::asked_name(name)) {
        name_ = *std::move(wire);
        dns::lower_case(name_.data(), name_.data(), name_.size());
    }
    const MatchingRules matching(rules);
    settings_.files = {settings.file};
    settings_.plugins.resize(settings.plugins.size());
    for (std::size_t i = 0; i < settings.plugins.size(); ++i) {
        std::visit(
            [&](const auto& args) {
                if constexpr (requires { matching.of(args); }) {
                    using Args = std::remove_cvref_t<decltype(args)>;
                    if constexpr (std::is_same_v<decltype(matching.of(args)), Args>)
                        settings_.plugins[i].args = matching.of(args);
                }
            },
            settings.plugins[i].args);
    }
}

std::optional<HeldTypes> NameVerdict::of(config::PluginIndex plugin) const {
    TagMasks masks(settings_);
    TagMasks::ByType in;
    std::optional<TagMasks::ByType> allow;
    const auto& args = settings_.plugin(plugin).args;
    if (const auto* const ads = std::get_if<config::AdList>(&args)) {
        config::NameRules all;
        for (const config::AdListPart& part : ads->lists)
            all.sets.push_back(part.provider);
        in = masks.masks_of(all);
        if (!ads->allow.empty()) allow = masks.masks_of(ads->allow);
    } else if (const auto* const question = std::get_if<config::Question>(&args)) {
        in = masks.masks_of(*question);
    } else if (std::holds_alternative<config::Qname>(args)) {
        in.mask = masks.mask_of(plugin);
    } else {
        return std::nullopt;
    }
    std::vector<matchers::TagBits> bits;
    std::vector<Error> errors;
    const auto image = masks.finish(bits, errors, nullptr);
    if (image == nullptr) return errors.empty() ? std::optional(HeldTypes{}) : std::nullopt;
    matchers::NameMatcher::Scratch scratch;
    if (name_.empty() || !image->prepare(scratch)) return std::nullopt;
    const matchers::TagBits found = image->match(name_, scratch);
    const auto acts = [&](auto mask_of) {
        return found.any_of(bits[mask_of(in)]) && !(allow && found.any_of(bits[mask_of(*allow)]));
    };
    HeldTypes out{acts([](const NamesMask& names) { return names.mask; }), {}};
    std::set<std::uint16_t> types;
    for (const auto& [type, mask] : in.by_type)
        types.insert(type);
    if (allow) {
        for (const auto& [type, mask] : allow->by_type)
            types.insert(type);
    }
    for (const std::uint16_t type : types) {
        if (acts([type](const NamesMask& names) { return names.mask_for(type); }) != out.others)
            out.except.push_back(type);
    }
    return out;
}

}  // namespace steer::build
