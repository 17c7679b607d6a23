#include "tools/import/dnsmasq_domains.h"

#include <algorithm>
#include <utility>

namespace steer::importing {

std::vector<std::string> Domain::addresses() const {
    std::vector<std::string> out = addresses4;
    if (is_null && addresses4.empty()) out.emplace_back("0.0.0.0");
    out.insert(out.end(), addresses6.begin(), addresses6.end());
    if (is_null && addresses6.empty()) out.emplace_back("::");
    return out;
}

std::vector<DomainRule> longest_first(const std::map<std::string, std::size_t>& actions) {
    struct Kept {
        std::size_t action, depth;
    };
    // Shorter domains first; a domain with the action of the one above it says nothing new.
    std::vector<const std::pair<const std::string, std::size_t>*> order;
    for (const auto& entry : actions)
        order.push_back(&entry);
    std::ranges::stable_sort(order, {}, [](const auto* entry) { return entry->first.size(); });
    std::map<std::string, Kept> kept;
    std::map<std::pair<std::size_t, std::size_t>, DomainRule> rules;  // by depth and action
    for (const auto* const entry : order) {
        const auto* const outer = above(kept, entry->first);
        if (outer != nullptr && outer->second.action == entry->second) continue;
        const std::size_t depth = outer == nullptr ? 0 : outer->second.depth + 1;
        kept.emplace(entry->first, Kept{entry->second, depth});
        DomainRule& rule = rules[{depth, entry->second}];
        rule.action = entry->second;
        rule.within.push_back(entry->first);
        if (outer != nullptr)
            rules[{outer->second.depth, outer->second.action}].except.push_back(entry->first);
    }
    std::vector<DomainRule> out;
    std::size_t deepest = rules.empty() ? 0 : rules.rbegin()->first.first + 1;
    while (deepest-- > 0) {
        for (auto& [key, rule] : rules) {
            if (key.first == deepest) out.push_back(std::move(rule));
        }
    }
    for (DomainRule& rule : out) {
        std::ranges::sort(rule.within);
        std::ranges::sort(rule.except);
    }
    return out;
}

}  // namespace steer::importing
