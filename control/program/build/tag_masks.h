// Compiles the domain rules of all sets that the program tests into one image, and computes the
// mask of sets for each matcher.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "control/config/settings.h"
#include "control/program/build/build.h"
#include "dataplane/answer/ad_list.h"
#include "matchers/name_matcher.h"
#include "matchers/result.h"

namespace steer::build {

class TagMasks {
  public:
    explicit TagMasks(const config::Settings& settings) : settings_(settings) {}

    // The index of a qname's mask. Each domain_set in it, also through other sets, is one SetId, or
    // several with negation; its own rules are one more. finish() reports an error if there are
    // more than matchers::kMaxSets.
    std::uint32_t mask_of(config::PluginIndex qname);
    // The mask of names with rules in a plugin of another type.
    std::uint32_t mask_of(config::PluginIndex plugin, const std::vector<config::RuleAt>& rules);
    // The mask of names with rules that belong to no plugin.
    std::uint32_t mask_of(const std::vector<config::RuleAt>& rules);
    // The mask of names with rules and sets in a plugin.
    std::uint32_t mask_of(const config::NameRules& names);

    // The masks of a question by type; `mask` is for all other types. Without masks by type it
    // equals a qname.
    using ByType = NamesMask;
    ByType masks_of(const config::NameRules& names);
    // The masks of names that an exception covers. `exceptions`: a domain_set that has only
    // exceptions.
    ByType masks_of_exceptions(config::PluginIndex exceptions);

    // The domain_sets with `inherit` used so far, with their own and all their sets.
    struct InheritingSet {
        config::PluginIndex plugin;
        matchers::SetId own;
        matchers::TagBits sets;
    };
    [[nodiscard]] std::vector<InheritingSet> inheriting() const;

    // The sets used so far, by tag.
    [[nodiscard]] std::vector<NamedSet> named_sets() const;

    // Builds the image (nullptr: no rules) and the masks. Leaves this object empty.
    std::unique_ptr<matchers::NameMatcher> finish(std::vector<matchers::TagBits>& masks,
                                                  std::vector<Error>& errors,
                                                  matchers::ImageStore* images);

  private:
    matchers::TagBits bits_of(config::PluginIndex provider);
    // As bits_of(), but adds sets that have rules by type to `typed`.
    matchers::TagBits untyped_bits(config::PluginIndex provider,
                                   std::set<config::PluginIndex>& typed);
    matchers::TagBits bits_of(const config::NameRules& names);
    // The bits for questions of a type, without the included sets.
    matchers::TagBits own_bits(config::PluginIndex provider, std::uint32_t type);
    // The bits of its steps that apply to questions of a type.
    matchers::TagBits decided_bits(config::PluginIndex provider, const config::DomainSet& set,
                                   std::uint32_t type);
    // The set for names that its names point to.
    matchers::SetId inherited_set(config::PluginIndex provider, const config::DomainSet& set);
    struct RankedStep {
        unsigned rank;
        matchers::Decision::Step step;
    };
    [[nodiscard]] const config::DomainSet& set_of(config::PluginIndex provider) const;
    [[nodiscard]] const config::DomainSet* exceptions_of(const config::DomainSet& set) const;
    // The steps of a plugin that apply to questions of a type.
    void add_steps(config::PluginIndex provider, const config::DomainSet& set, std::uint32_t type,
                   std::vector<RankedStep>& out);
    std::uint32_t mask_index(const matchers::TagBits& mask);
    matchers::SetId new_set();
    std::uint32_t add_mask(config::PluginIndex plugin, const matchers::TagBits& mask);
    // Adds a separate set for these rules.
    matchers::SetId add_set(const std::vector<config::RuleAt>& rules);
    matchers::TagBits add_rules(const std::vector<config::RuleAt>& rules);

    const config::Settings& settings_;
    matchers::NameMatcherBuilder builder_;
    std::size_t sets_ = 0, rules_ = 0;
    std::map<config::PluginIndex, matchers::TagBits> set_bits_;  // with the sets that it includes
    std::map<std::pair<config::PluginIndex, std::uint32_t>, matchers::TagBits>
        own_bits_;                                              // without them, by type
    std::map<config::PluginIndex, matchers::SetId> inherited_;  // sets that inheriting names get
    std::map<config::PluginIndex, std::uint32_t> masks_by_qname_;
    // For a provider's steps: the numbers of their sets.
    std::map<config::PluginIndex, std::vector<matchers::Decision::Step>> steps_;
    std::vector<matchers::TagBits> masks_;
};

}  // namespace steer::build
