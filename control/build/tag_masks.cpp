#include "control/build/tag_masks.h"

#include <algorithm>
#include <utility>

namespace steer::build {

std::uint32_t TagMasks::mask_of(config::PluginIndex qname) {
    const auto known = masks_by_qname_.find(qname);
    if (known != masks_by_qname_.end()) return known->second;
    const auto& plugin = settings_.plugin(qname).args;
    const auto* cname = std::get_if<config::Cname>(&plugin);
    const config::NameRules& args = cname != nullptr ? static_cast<const config::NameRules&>(*cname)
                                                     : std::get<config::Qname>(plugin);
    matchers::TagBits mask = add_rules(args.rules);
    for (const config::PluginIndex set : args.sets)
        mask |= bits_of(set);
    const auto same = std::find(masks_.begin(), masks_.end(), mask);
    const auto index = static_cast<std::uint32_t>(same - masks_.begin());
    if (same == masks_.end()) masks_.push_back(mask);
    masks_by_qname_.emplace(qname, index);
    return index;
}

matchers::TagBits TagMasks::bits_of(config::PluginIndex domain_set) {
    const auto known = set_bits_.find(domain_set);
    if (known != set_bits_.end()) return known->second;
    const auto& args = std::get<config::DomainSet>(settings_.plugin(domain_set).args);
    matchers::TagBits bits = add_rules(args.rules);
    for (const config::PluginIndex inner : args.sets)
        bits |= bits_of(inner);
    set_bits_.emplace(domain_set, bits);
    return bits;
}

matchers::TagBits TagMasks::add_rules(const std::vector<config::RuleAt>& rules) {
    matchers::TagBits bits;
    if (rules.empty()) return bits;
    const std::size_t set = sets_++;
    if (set >= matchers::kMaxSets) return bits;
    bits.set(static_cast<matchers::SetId>(set));
    for (const config::RuleAt& at : rules) {
        builder_.add(static_cast<matchers::SetId>(set), at.rule, settings_.files[at.file], at.line);
    }
    rules_ += rules.size();
    return bits;
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
                                                        std::vector<Error>& errors) {
    if (sets_ > matchers::kMaxSets) {
        errors.push_back({"the configuration uses " + std::to_string(sets_) +
                              " lists of domain rules (domain_sets, and qname matchers with rules "
                              "of their own): at most " +
                              std::to_string(matchers::kMaxSets) +
                              " are possible, put some together",
                          settings_.file});
        return nullptr;
    }
    masks = std::exchange(masks_, {});
    if (rules_ == 0) return nullptr;
    std::vector<Error> warnings;  // load() has given them
    return builder_.build(errors, warnings);
}

}  // namespace steer::build
