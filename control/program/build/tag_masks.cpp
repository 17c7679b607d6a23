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
void add_types(const config::DomainSet& set, std::set<std::uint16_t>& out) {
    for (const config::RuleStep& step : set.steps) {
        out.insert(step.types.begin(), step.types.end());
        out.insert(step.other_types.begin(), step.other_types.end());
    }
}

// Whether a step applies to questions of a type.
bool counts_for(const config::RuleStep& step, std::uint32_t type) {
    if (type == kAllTypes) return !step.has_types();
    const auto has = [type](const std::vector<std::uint16_t>& types) {
        return std::find(types.begin(), types.end(), type) != types.end();
    };
    return (step.types.empty() || has(step.types)) && !has(step.other_types);
}

// Whether the order of a set's steps matters. Otherwise each step adds to the set, without a decision.
bool has_negation(const config::DomainSet& set) {
    return set.exceptions || std::ranges::any_of(set.steps, &config::RuleStep::has_negation);
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
        add_types(set_of(set), types);
        if (const auto* const exceptions = exceptions_of(set_of(set)))
            add_types(*exceptions, types);
    }
    const auto mask_for = [&](std::uint32_t type) {
        matchers::TagBits mask = plain;
        for (const config::PluginIndex set : typed)
            mask |= own_bits(set, type);
        return mask_index(mask);
    };
    return masks_by(types, mask_for);
}

TagMasks::ByType TagMasks::masks_of_exceptions(config::PluginIndex exceptions) {
    const config::DomainSet& set = set_of(exceptions);
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
    const config::DomainSet& set = set_of(provider);
    matchers::TagBits bits;
    if (config::has_own_types(settings_, set)) {
        typed.insert(provider);
    } else {
        bits = own_bits(provider, kAllTypes);
    }
    for (const config::PluginIndex inner : set.sets)
        bits |= untyped_bits(inner, typed);
    return bits;
}

matchers::TagBits TagMasks::bits_of(config::PluginIndex provider) {
    const auto known = set_bits_.find(provider);
    if (known != set_bits_.end()) return known->second;
    matchers::TagBits bits = own_bits(provider, kAllTypes);
    for (const config::PluginIndex inner : set_of(provider).sets)
        bits |= bits_of(inner);
    set_bits_.emplace(provider, bits);
    return bits;
}

matchers::TagBits TagMasks::own_bits(config::PluginIndex provider, std::uint32_t type) {
    const config::DomainSet& set = set_of(provider);
    if (!config::has_own_types(settings_, set)) type = kAllTypes;
    const auto known = own_bits_.find({provider, type});
    if (known != own_bits_.end()) return known->second;
    matchers::TagBits bits = decided_bits(provider, set, type);
    if (set.inherit) bits.set(inherited_set(provider, set));
    own_bits_.emplace(std::make_pair(provider, type), bits);
    return bits;
}

matchers::TagBits TagMasks::decided_bits(config::PluginIndex provider, const config::DomainSet& set,
                                         std::uint32_t type) {
    std::vector<RankedStep> ranked;
    if (const config::DomainSet* const exceptions = exceptions_of(set))
        add_steps(*set.exceptions, *exceptions, type, ranked);
    add_steps(provider, set, type, ranked);
    std::ranges::stable_sort(ranked, {}, &RankedStep::rank);
    std::vector<matchers::Decision::Step> steps;
    steps.reserve(ranked.size());
    for (const RankedStep& step : ranked)
        steps.push_back(step.step);
    matchers::TagBits bits;
    if (std::ranges::none_of(steps, &matchers::Decision::Step::in)) return bits;
    if (!has_negation(set)) {
        for (const matchers::Decision::Step& step : steps)
            bits.set(step.rules);
        return bits;
    }
    const matchers::SetId decided = new_set();
    bits.set(decided);
    builder_.decide({decided, std::move(steps)});
    return bits;
}

// The set of its only step; one without rules if its steps decide.
matchers::SetId TagMasks::inherited_set(config::PluginIndex provider,
                                        const config::DomainSet& set) {
    const auto known = inherited_.find(provider);
    if (known != inherited_.end()) return known->second;
    const bool is_one_step =
        set.steps.size() == 1 && !has_negation(set) && !set.steps.front().has_types();
    const matchers::SetId own = is_one_step ? steps_.at(provider).front().rules : new_set();
    inherited_.emplace(provider, own);
    return own;
}

const config::DomainSet& TagMasks::set_of(config::PluginIndex provider) const {
    return std::get<config::DomainSet>(settings_.plugin(provider).args);
}

const config::DomainSet* TagMasks::exceptions_of(const config::DomainSet& set) const {
    return set.exceptions ? &set_of(*set.exceptions) : nullptr;
}

// The sets of a plugin's steps are made once, also for several lists and types.
void TagMasks::add_steps(config::PluginIndex provider, const config::DomainSet& set,
                         std::uint32_t type, std::vector<RankedStep>& out) {
    auto& sets = steps_[provider];
    for (std::size_t i = sets.size(); i < set.steps.size(); ++i) {
        const config::RuleStep& step = set.steps[i];
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
        matchers::TagBits bits = all != set_bits_.end() ? all->second : matchers::TagBits{};
        for (auto at = own_bits_.lower_bound({plugin, 0});
             at != own_bits_.end() && at->first.first == plugin; ++at)
            bits |= at->second;
        out.push_back({plugin, own, bits});
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
                 "own, exceptions and rules by type of AdGuard): at most " +
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
