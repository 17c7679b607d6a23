#include "control/program/build/tag_masks.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "control/config/lists/typed_rules.h"

namespace steer::build {

namespace {

// Values that are not types: for types that no rule names, and for all types.
constexpr std::uint32_t kNoType = UINT32_MAX, kAllTypes = UINT32_MAX - 1;

const config::NameRules& name_rules(const config::Plugin& plugin) {
    if (const auto* cname = std::get_if<config::Cname>(&plugin.args)) return *cname;
    if (const auto* question = std::get_if<config::Question>(&plugin.args)) return *question;
    return std::get<config::Qname>(plugin.args);
}

// The types that rules of a set name.
void add_types(const config::AdguardSet& set, std::set<std::uint16_t>& out) {
    for (const config::AdguardStep& step : set.steps) {
        out.insert(step.types.begin(), step.types.end());
        out.insert(step.other_types.begin(), step.other_types.end());
    }
}

// Whether a step applies to questions of a type.
bool counts_for(const config::AdguardStep& step, std::uint32_t type) {
    if (type == kAllTypes) return !step.has_types();
    const auto has = [type](const std::vector<std::uint16_t>& types) {
        return std::find(types.begin(), types.end(), type) != types.end();
    };
    return (step.types.empty() || has(step.types)) && !has(step.other_types);
}

template <class MaskFor>
TagMasks::ByType masks_by(const std::set<std::uint16_t>& types, MaskFor mask_for) {
    TagMasks::ByType out;
    for (const std::uint16_t type : types)
        out.by_type.emplace_back(type, mask_for(type));
    out.mask = mask_for(kNoType);
    return out;
}

}  // namespace

std::uint32_t TagMasks::mask_of(config::PluginIndex qname) {
    const auto known = masks_by_qname_.find(qname);
    if (known != masks_by_qname_.end()) return known->second;
    return add_mask(qname, bits_of(name_rules(settings_.plugin(qname))));
}

std::uint32_t TagMasks::mask_of(const config::NameRules& names) {
    return mask_index(bits_of(names));
}

matchers::TagBits TagMasks::bits_of(const config::NameRules& names) {
    matchers::TagBits mask = add_rules(names.rules);
    for (const config::PluginIndex set : names.sets)
        mask |= bits_of(set);
    return mask;
}

std::uint32_t TagMasks::mask_of(config::PluginIndex plugin,
                                const std::vector<config::RuleAt>& rules) {
    const auto known = masks_by_qname_.find(plugin);
    return known != masks_by_qname_.end() ? known->second : add_mask(plugin, add_rules(rules));
}

std::uint32_t TagMasks::mask_of(const std::vector<config::RuleAt>& rules) {
    return mask_index(add_rules(rules));
}

std::uint32_t TagMasks::add_mask(config::PluginIndex plugin, const matchers::TagBits& mask) {
    const std::uint32_t index = mask_index(mask);
    masks_by_qname_.emplace(plugin, index);
    return index;
}

TagMasks::ByType TagMasks::masks_of(const config::NameRules& names) {
    matchers::TagBits plain = add_rules(names.rules);
    std::set<config::PluginIndex> typed;
    for (const config::PluginIndex set : names.sets)
        plain |= untyped_bits(set, typed);
    std::set<std::uint16_t> types;
    for (const config::PluginIndex set : typed) {
        const auto& adguard = std::get<config::AdguardSet>(settings_.plugin(set).args);
        add_types(adguard, types);
        if (const auto* const exceptions = exceptions_of(adguard)) add_types(*exceptions, types);
    }
    const auto mask_for = [&](std::uint32_t type) {
        matchers::TagBits mask = plain;
        for (const config::PluginIndex set : typed)
            mask |= bits_of(set, std::get<config::AdguardSet>(settings_.plugin(set).args), type);
        return mask_index(mask);
    };
    return masks_by(types, mask_for);
}

TagMasks::ByType TagMasks::masks_of_exceptions(config::PluginIndex exceptions) {
    const auto& set = std::get<config::AdguardSet>(settings_.plugin(exceptions).args);
    const auto mask_for = [&](std::uint32_t type) {
        std::vector<RankedStep> ranked;
        add_steps(exceptions, set, type, ranked);
        matchers::TagBits bits;
        if (ranked.empty()) return mask_index(bits);
        matchers::Decision decision{new_set(), {}};
        for (const RankedStep& step : ranked)
            decision.steps.push_back({step.step.rules, step.step.unless, true});
        bits.set(decision.set);
        builder_.decide(std::move(decision));
        return mask_index(bits);
    };
    std::set<std::uint16_t> types;
    add_types(set, types);
    return masks_by(types, mask_for);
}

std::uint32_t TagMasks::mask_index(const matchers::TagBits& mask) {
    const auto same = std::find(masks_.begin(), masks_.end(), mask);
    const auto index = static_cast<std::uint32_t>(same - masks_.begin());
    if (same == masks_.end()) masks_.push_back(mask);
    return index;
}

matchers::TagBits TagMasks::untyped_bits(config::PluginIndex provider,
                                         std::set<config::PluginIndex>& typed) {
    if (!config::has_types(settings_, provider)) return bits_of(provider);
    const auto& args = settings_.plugin(provider).args;
    if (std::holds_alternative<config::AdguardSet>(args)) {
        typed.insert(provider);
        return {};
    }
    const auto& set = std::get<config::DomainSet>(args);
    matchers::TagBits bits = own_bits(provider, set);
    for (const config::PluginIndex inner : set.sets)
        bits |= untyped_bits(inner, typed);
    return bits;
}

matchers::TagBits TagMasks::own_bits(config::PluginIndex provider, const config::DomainSet& set) {
    const auto known = own_bits_.find(provider);
    if (known != own_bits_.end()) return known->second;
    matchers::TagBits bits;
    if (set.inherit) {
        const matchers::SetId own = add_set(set.rules);
        inherited_.emplace(provider, own);
        bits.set(own);
    } else {
        bits = add_rules(set.rules);
    }
    own_bits_.emplace(provider, bits);
    return bits;
}

matchers::TagBits TagMasks::bits_of(config::PluginIndex provider) {
    const auto known = set_bits_.find(provider);
    if (known != set_bits_.end()) return known->second;
    const auto& args = settings_.plugin(provider).args;
    matchers::TagBits bits;
    if (const auto* adguard = std::get_if<config::AdguardSet>(&args)) {
        bits = bits_of(provider, *adguard, kAllTypes);
    } else {
        const auto& set = std::get<config::DomainSet>(args);
        bits = own_bits(provider, set);
        for (const config::PluginIndex inner : set.sets)
            bits |= bits_of(inner);
    }
    set_bits_.emplace(provider, bits);
    return bits;
}

matchers::TagBits TagMasks::bits_of(config::PluginIndex provider, const config::AdguardSet& set,
                                    std::uint32_t type) {
    const config::AdguardSet* const exceptions = exceptions_of(set);
    if (!config::has_types(settings_, provider)) type = kAllTypes;
    const auto known = decided_.find({provider, type});
    if (known != decided_.end()) return known->second;
    std::vector<RankedStep> ranked;
    if (exceptions != nullptr) add_steps(*set.exceptions, *exceptions, type, ranked);
    add_steps(provider, set, type, ranked);
    std::ranges::stable_sort(ranked, {}, &RankedStep::rank);
    matchers::Decision decision;
    for (const RankedStep& step : ranked)
        decision.steps.push_back(step.step);
    const bool can_hold = std::ranges::any_of(
        decision.steps, [](const matchers::Decision::Step& step) { return step.in; });
    if (!can_hold) decision.steps.clear();
    matchers::TagBits bits;
    if (!decision.steps.empty()) {
        decision.set = new_set();
        bits.set(decision.set);
        builder_.decide(std::move(decision));
    }
    decided_.emplace(std::make_pair(provider, type), bits);
    return bits;
}

const config::AdguardSet* TagMasks::exceptions_of(const config::AdguardSet& set) const {
    return set.exceptions ? &std::get<config::AdguardSet>(settings_.plugin(*set.exceptions).args)
                          : nullptr;
}

// The sets of a plugin's steps are made once, also for several lists and types.
void TagMasks::add_steps(config::PluginIndex provider, const config::AdguardSet& set,
                         std::uint32_t type, std::vector<RankedStep>& out) {
    auto& sets = steps_[provider];
    for (std::size_t i = sets.size(); i < set.steps.size(); ++i) {
        const config::AdguardStep& step = set.steps[i];
        sets.push_back({add_set(step.rules), std::nullopt, step.in});
        if (!step.unless.empty()) sets.back().unless = add_set(step.unless);
    }
    for (std::size_t i = 0; i < set.steps.size(); ++i) {
        if (counts_for(set.steps[i], type)) out.push_back({set.steps[i].rank, sets[i]});
    }
}

matchers::SetId TagMasks::new_set() {
    // One too many is refused by finish(); until then it shares the last.
    return static_cast<matchers::SetId>(std::min(sets_++, matchers::kMaxSets - 1));
}

matchers::SetId TagMasks::add_set(const std::vector<config::RuleAt>& rules) {
    const matchers::SetId set = new_set();
    for (const config::RuleAt& at : rules)
        builder_.add(set, at.rule, settings_.files[at.file], at.line);
    rules_ += rules.size();
    return set;
}

matchers::TagBits TagMasks::add_rules(const std::vector<config::RuleAt>& rules) {
    matchers::TagBits bits;
    if (!rules.empty()) bits.set(add_set(rules));
    return bits;
}

std::vector<TagMasks::InheritingSet> TagMasks::inheriting() const {
    std::vector<InheritingSet> out;
    for (const auto& [plugin, own] : inherited_) {
        // Asked for by type alone, it is in its own set at least.
        const auto all = set_bits_.find(plugin);
        out.push_back({plugin, own, all != set_bits_.end() ? all->second : own_bits_.at(plugin)});
    }
    return out;
}

std::vector<NamedSet> TagMasks::named_sets() const {
    std::vector<NamedSet> out;
    for (const auto& [plugin, bits] : set_bits_)
        out.push_back({settings_.plugin(plugin).tag, bits});
    for (const auto& [plugin, mask] : masks_by_qname_)
        out.push_back({settings_.plugin(plugin).tag, masks_[mask]});
    return out;
}

std::unique_ptr<matchers::NameMatcher> TagMasks::finish(std::vector<matchers::TagBits>& masks,
                                                        std::vector<Error>& errors,
                                                        matchers::ImageStore* images) {
    if (sets_ > matchers::kMaxSets) {
        errors.push_back(
            {"the configuration uses " + std::to_string(sets_) +
                 " lists of domain rules (domain_sets, qname matchers with rules of their "
                 "own, an adguard_rule's exceptions and rules by type): at most " +
                 std::to_string(matchers::kMaxSets) + " are possible, put some together",
             settings_.file});
        return nullptr;
    }
    masks = std::exchange(masks_, {});
    if (rules_ == 0) return nullptr;
    std::vector<Error> warnings;  // load() has given them
    return builder_.build(errors, warnings, images);
}

}  // namespace steer::build
