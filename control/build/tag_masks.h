// The domain rules of all sets that the program asks about, as one image, and the mask of sets of
// each matcher.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "control/build/build.h"
#include "control/config/settings.h"
#include "matchers/name_matcher.h"
#include "matchers/result.h"

namespace steer::build {

class TagMasks {
  public:
    explicit TagMasks(const config::Settings& settings) : settings_(settings) {}

    // The index of a qname's mask. Each domain_set that it names, directly or by other sets, is one
    // SetId; its own rules are one more. Sets above matchers::kMaxSets are counted and refused by
    // finish().
    std::uint32_t mask_of(config::PluginIndex qname);
    // Of the names that a plugin of another type has rules for.
    std::uint32_t mask_of(config::PluginIndex plugin, const std::vector<config::RuleAt>& rules);
    // Of names that no plugin has rules for.
    std::uint32_t mask_of(const std::vector<config::RuleAt>& rules);
    // Of names that a plugin has rules and sets for, besides others.
    std::uint32_t mask_of(const config::NameRules& names);

    // The masks of a question by type; `mask` is that of all other types. With none by type it is as a qname.
    struct ByType {
        std::vector<std::pair<std::uint16_t, std::uint32_t>> types;
        std::uint32_t mask = 0;
    };
    ByType masks_of(const config::NameRules& names);

    // The domain_sets with `inherit` that were asked for so far: whose own set, and all of them.
    struct InheritingSet {
        config::PluginIndex plugin;
        matchers::SetId own;
        matchers::TagBits sets;
    };
    [[nodiscard]] std::vector<InheritingSet> inheriting() const;

    // What has been asked for so far, by tag.
    [[nodiscard]] std::vector<NamedSet> named_sets() const;

    // The image (nullptr: no rules at all) and the masks. Leaves this empty.
    std::unique_ptr<matchers::NameMatcher> finish(std::vector<matchers::TagBits>& masks,
                                                  std::vector<Error>& errors,
                                                  matchers::ImageStore* images);

  private:
    matchers::TagBits bits_of(config::PluginIndex provider);
    // As bits_of(), but for the sets with rules by type, which are added to `typed`.
    matchers::TagBits untyped_bits(config::PluginIndex provider,
                                   std::set<config::PluginIndex>& typed);
    matchers::TagBits own_bits(config::PluginIndex provider, const config::DomainSet& set);
    matchers::TagBits bits_of(const config::NameRules& names);
    // The set that steps decide for questions of a type.
    matchers::TagBits bits_of(config::PluginIndex provider, const config::AdguardSet& set,
                              std::uint32_t type);
    std::uint32_t mask_index(const matchers::TagBits& mask);
    matchers::SetId new_set();
    std::uint32_t add_mask(config::PluginIndex plugin, const matchers::TagBits& mask);
    // A set of its own for these rules.
    matchers::SetId add_set(const std::vector<config::RuleAt>& rules);
    matchers::TagBits add_rules(const std::vector<config::RuleAt>& rules);

    const config::Settings& settings_;
    matchers::NameMatcherBuilder builder_;
    std::size_t sets_ = 0, rules_ = 0;
    std::map<config::PluginIndex, matchers::TagBits> set_bits_;  // with the sets that it includes
    std::map<config::PluginIndex, matchers::TagBits> own_bits_;  // without them
    std::map<config::PluginIndex, matchers::SetId>
        inherited_;  // what names that are pointed to get
    std::map<config::PluginIndex, std::uint32_t> masks_by_qname_;
    // Of a provider's steps: the numbers of their sets, and of those of its decisions by type.
    std::map<config::PluginIndex, std::vector<matchers::Decision::Step>> steps_;
    std::map<std::pair<config::PluginIndex, std::uint32_t>, matchers::TagBits> decided_;
    std::vector<matchers::TagBits> masks_;
};

}  // namespace steer::build
